/**
 * How text becomes words: folding and splitting, as in search/words.py.
 *
 * @module
 */

const LONGEST_WORD = 64;

const PLAIN_LETTERS = new Map(
  Object.entries({
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
    ŧ: "t",
    ŋ: "n",
    ĸ: "k",
    ς: "σ",
  }),
);

// Invisible characters, accents and vowel points.
const DROPPED =
  /[\p{Cf}\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+/gu;
const SEPARATORS = /[^\p{L}\p{N}\p{M}]+/gu;
const LETTERS = /[ßæœøłđðþħıŧŋĸς]/g;
const CJK =
  "\\u3005-\\u3007\\u3040-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\u{20000}-\\u{3ffff}";
const CJK_RUNS = new RegExp(`[${CJK}]+|[^${CJK}]+`, "gu");
const STARTS_CJK = new RegExp(`^[${CJK}]`, "u");
const SPELT = /[\p{L}\p{N}]+/gu;
const NOT_ASCII = /[^ -~\s]/;
const HAS_CJK = new RegExp(`[${CJK}]`, "u");

/**
 * The words of a text, lower case and without accents, in order.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function splitWords(text) {
  if (!NOT_ASCII.test(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return text
    .normalize("NFKD")
    .replace(DROPPED, "")
    .toLowerCase()
    .replace(LETTERS, (letter) => PLAIN_LETTERS.get(letter) ?? letter)
    .replace(SEPARATORS, " ")
    .normalize("NFC")
    .split(" ")
    .filter(Boolean);
}

/**
 * The words that the index knows: those of splitWords, Chinese and Japanese as pairs.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function indexWords(text) {
  const words = splitWords(text);
  if (!NOT_ASCII.test(text)) return words.map(cut);
  return words.flatMap((word) => {
    if (!HAS_CJK.test(word)) return [cut(word)];
    return (word.match(CJK_RUNS) ?? []).flatMap((run) => {
      const characters = [...run];
      if (characters.length < 2 || !STARTS_CJK.test(run)) return [cut(run)];
      return characters.slice(1).map((character, i) => characters[i] + character);
    });
  });
}

/**
 * What makes two titles the same: their words, or their symbols if they have none.
 *
 * @param {string} text
 * @returns {string}
 */
export function titleWords(text) {
  const words = splitWords(text);
  return words.length ? words.join(" ") : squeeze(text);
}

/**
 * The comparable form of an id or a DOI, which may come as a link.
 *
 * @param {string} text
 * @returns {string}
 */
export function handle(text) {
  return squeeze(text)
    .toLowerCase()
    .replace(/^https:\/\/doi\.org\//, "")
    .replace(/^http:\/\/doi\.org\//, "")
    .replace(/^https:\/\/dx\.doi\.org\//, "")
    .replace(/^doi:/, "");
}

/**
 * The 32-bit FNV-1a hash of an id or DOI.
 *
 * @param {string} key
 * @returns {number}
 */
export function keyHash(key) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}

/**
 * A text without white space and invisible characters, in compatible form.
 *
 * @param {string} text
 */
function squeeze(text) {
  return text.normalize("NFKC").replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, "");
}

/**
 * The words of a text that are written with accents or the like, and how.
 *
 * @param {string} text
 * @returns {[word: string, spelling: string][]}
 */
export function spellings(text) {
  /** @type {[string, string][]} */
  const found = [];
  for (const chunk of new Set(text.normalize("NFC").toLowerCase().match(SPELT))) {
    if (!NOT_ASCII.test(chunk)) continue;
    const words = indexWords(chunk);
    if (words.length === 1 && words[0] !== chunk && [...chunk].length <= LONGEST_WORD) {
      found.push([words[0], chunk]);
    }
  }
  return found;
}

/** @param {string} word */
function cut(word) {
  return word.length <= LONGEST_WORD ? word : [...word].slice(0, LONGEST_WORD).join("");
}
