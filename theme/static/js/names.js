// The field above lists of people: names that begin with each word typed, from small files
// by the first two letters of the family name. Without this script the field leads to the search.

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-names]"));
const field = form?.querySelector("input[type=search]");
const said = document.querySelector("#names-said");
const list = document.querySelector("#names-found");
const most = 60;

/** @type {Map<string, Promise<any[]>>} */
const files = new Map();

// Letters with a stroke or two in one, which do not come apart like those with accents.
const plainly = Object.entries({
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
});

/** @param {string} text */
function words(text) {
  let plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  for (const [letter, letters] of plainly) plain = plain.replaceAll(letter, letters);
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/** @param {string} word the file that family names which begin so stand in */
function fileOf(word) {
  const [first = "", second = ""] = word;
  if (!/[a-z]/.test(first)) return "0";
  return first + (/[a-z]/.test(second) ? second : "_");
}

/** @param {string} name */
function load(name) {
  let names = files.get(name);
  if (!names) {
    names = fetch(`${form?.dataset.names}${name}.json`).then((answer) =>
      answer.ok ? answer.json() : [],
    );
    names.catch(() => files.delete(name));
    files.set(name, names);
  }
  return names;
}

/** @param {string} text */
async function find(text) {
  const asked = words(text).slice(0, 6);
  const there = new Set(await load("_index"));
  const wanted = new Set(asked.filter((word) => word.length > 1).map(fileOf));
  const some = await Promise.all([...wanted].filter((name) => there.has(name)).map(load));
  return some.flat().filter(([name, , folded]) => {
    const has = `${folded} ${words(name).join(" ")}`.split(" ");
    return asked.every((word) => has.some((one) => one.startsWith(word)));
  });
}

/** @param {[string, string, string][]} found */
function show(found) {
  list?.replaceChildren(
    ...found.slice(0, most).map(([name, slug]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/people/${slug}/`;
      link.textContent = name;
      item.append(link);
      return item;
    }),
  );
}

field?.addEventListener("input", async () => {
  const text = field.value;
  const enough = words(text).some((word) => word.length > 1);
  try {
    const found = enough ? await find(text) : [];
    if (text !== field.value || !said) return;
    show(found);
    const more = found.length > most ? `, here the first ${most}` : "";
    const people = found.length === 1 ? "person" : "people";
    said.textContent = enough ? `${found.length.toLocaleString("en")} ${people}${more}` : "";
  } catch {
    if (said) said.textContent = "The list of names cannot be read now; Enter searches instead.";
  }
});
