// Turns the lists of links above the CVs into one sieve that combines them. Without this script
// each link leads to a page of its own.

/** @typedef {{name: string, heading: string, values: {key: string, text: string}[]}} Filter */

/**
 * Tell whether a CV passes what is chosen.
 * @param {Record<string, string[]>} keys what the CV has, by filter
 * @param {Map<string, string>} chosen key by filter
 * @returns {boolean}
 */
export function passes(keys, chosen) {
  for (const [name, key] of chosen) {
    if (!(keys[name] ?? []).includes(key)) {
      return false;
    }
  }
  return true;
}

/**
 * Return what an address asks for.
 * @param {string} search the part after the question mark
 * @param {Filter[]} filters
 * @returns {Map<string, string>}
 */
export function chosenIn(search, filters) {
  const asked = new URLSearchParams(search);
  const chosen = new Map();
  for (const { name, values } of filters) {
    const key = asked.get(name);
    if (key && values.some((value) => value.key === key)) {
      chosen.set(name, key);
    }
  }
  return chosen;
}

/**
 * Return the address of what is chosen.
 * @param {Map<string, string>} chosen
 * @returns {string}
 */
export function searchFor(chosen) {
  const text = new URLSearchParams([...chosen]).toString();
  return text ? `?${text}` : "";
}

/**
 * Read the filters from the lists of links.
 * @param {Element} place
 * @returns {Filter[]}
 */
function filtersIn(place) {
  return [...place.querySelectorAll("ul[data-filter]")].map((list) => ({
    name: list.getAttribute("data-filter") ?? "",
    heading: list.getAttribute("data-heading") ?? "",
    values: [...list.querySelectorAll("a[data-key]")].map((link) => ({
      key: link.getAttribute("data-key") ?? "",
      text: link.textContent ?? "",
    })),
  }));
}

/**
 * @param {Filter} filter
 * @param {() => void} changed
 * @returns {{label: HTMLLabelElement, select: HTMLSelectElement}}
 */
function selectFor(filter, changed) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  label.textContent = filter.heading;
  select.id = `sieve-${filter.name}`;
  label.htmlFor = select.id;
  select.append(new Option("Any", ""));
  for (const { key, text } of filter.values) {
    select.append(new Option(text, key));
  }
  select.addEventListener("change", changed);
  return { label, select };
}

function start() {
  const place = document.getElementById("filters");
  const list = document.getElementById("cvs");
  if (!place || !list || list.children.length === 0) {
    return;
  }
  const filters = filtersIn(place);
  const items = [...list.querySelectorAll("li[data-keys]")].map((item) => ({
    item,
    keys: JSON.parse(item.getAttribute("data-keys") ?? "{}"),
  }));
  const said = document.createElement("p");
  said.className = "says";
  said.setAttribute("role", "status");
  /** @type {Map<string, HTMLSelectElement>} */
  const selects = new Map();

  /** @param {Map<string, string>} chosen */
  function show(chosen) {
    let shown = 0;
    for (const { item, keys } of items) {
      const is = passes(keys, chosen);
      item.toggleAttribute("hidden", !is);
      shown += Number(is);
    }
    said.textContent =
      shown === items.length
        ? `${shown} CV${shown === 1 ? "" : "s"}`
        : `${shown} of ${items.length} CVs`;
  }

  function changed() {
    const chosen = new Map();
    for (const [name, select] of selects) {
      if (select.value) {
        chosen.set(name, select.value);
      }
    }
    history.pushState(null, "", location.pathname + searchFor(chosen));
    show(chosen);
  }

  function fromAddress() {
    const chosen = chosenIn(location.search, filters);
    for (const [name, select] of selects) {
      select.value = chosen.get(name) ?? "";
    }
    show(chosen);
  }

  const sieve = document.createElement("form");
  sieve.className = "sieve";
  sieve.setAttribute("aria-label", "Which CVs to show");
  sieve.addEventListener("submit", (event) => event.preventDefault());
  for (const filter of filters) {
    const { label, select } = selectFor(filter, changed);
    const field = document.createElement("div");
    field.append(label, select);
    sieve.append(field);
    selects.set(filter.name, select);
  }
  place.replaceChildren(sieve, said);
  addEventListener("popstate", fromAddress);
  fromAddress();
}

if (typeof document !== "undefined") {
  start();
}
