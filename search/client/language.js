/**
 * The query language, as in search/language.py.
 *
 * @module
 */

import { indexWords, spellings } from "./words.js";

/**
 * A condition that results must meet, or must not.
 *
 * @typedef {object} Condition
 * @property {string} field a name of FIELDS, or empty for any text
 * @property {string} text
 * @property {boolean} phrase
 * @property {boolean} negated
 */

/**
 * @typedef {object} ParsedQuery
 * @property {string} text the query, cut to what is read of it
 * @property {string[]} words folded words to rank by, as often as they were written
 * @property {string[]} written all words, stop words included
 * @property {Map<string, string>} spellings word → how it is written, with its accents
 * @property {Condition[]} conditions
 * @property {boolean} everything whether `*` asks for all
 * @property {string} last the last word, if it may go on; else empty
 */

const LONGEST_QUERY = 10_000;
const MOST_WORDS = 100;
const MOST_REPEATS = 20;
const MOST_CONDITIONS = 20;

const FIELDS = new Set(
  "author title abstract venue year topic institution kind doi id type access status".split(" "),
);
const RANKED = new Set(["title", "abstract", "author", "topic"]);

const STOP_WORDS = new Set(
  `a able about across after all almost also am among an and any are as at be because been but
  by can cannot could dear did do does either else ever every for from get got had has have he
  her hers him his how however i if in into is it its just least let like likely may me might
  most must my neither no nor not of off often on only or other our own rather said say says she
  should since so some than that the their them then there these they this tis to too twas us
  wants was we were what when where which while who whom why will with would yet you your`.split(
    /\s+/,
  ),
);

// Words of the asking, left out where a whole sentence asks.
export const SENTENCE = 6;
const SENTENCE_WORDS = new Set(
  `
  above again against already although always another anybody anyone anything around
  article articles available away became become becomes before began behind being below
  between beyond both came come comes concerning consider considered describe described
  describing different discuss discussed doing done down due during each enough etc even
  exist existing exists far few find found further furthermore gave give given gives
  giving go goes going gone good great hence here herself himself including indeed instead
  interested involved itself keep kind know known last later less made mainly make makes
  making many mean means meanwhile more moreover much myself namely near nearly need
  needed needs never new next nobody none nothing now nowhere obtain obtained once one
  ones onto others otherwise ought ours ourselves out over paper papers part particular
  particularly per perhaps please possible present presented previous put quite really
  regarding related same see seem seemed seems seen several shall show shown similar
  someone something sometimes still such sure take taken tell themselves thereby therefore
  thing things though three through throughout thus together took toward towards two under
  unless until up upon use used useful uses using usually various very via want way ways
  well went whatever whenever wherever whether whoever whole whose within without work
  works yes yours yourself`.split(/\s+/),
);

const PART = /(-)?(?:([A-Za-z]+):(?=\S))?(?:"([^"]*)"|([^\s"]+))/g;

/**
 * What a text asks for. Any text is a query.
 *
 * @param {string} query
 * @returns {ParsedQuery}
 */
export function parseQuery(query) {
  const text = query.slice(0, LONGEST_QUERY).toWellFormed?.() ?? query.slice(0, LONGEST_QUERY);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const readable = text.replace(/[\u0000-\u001f\u007f-\u009f\ufffd]/g, " ");
  /** @type {string[]} */
  const ranked = [];
  /** @type {Condition[]} */
  const conditions = [];
  let everything = false;
  let open = false;
  for (const part of readable.matchAll(PART)) {
    const [whole, minus, name, phrase, word] = part;
    const start = part.index ?? 0;
    const startsWord = start === 0 || /\s/.test(readable[start - 1]);
    const negated = minus !== undefined && startsWord;
    let field = (name ?? "").toLowerCase();
    let value = phrase ?? word;
    open = false;
    if (!FIELDS.has(field) || !startsWord) {
      if (field) value = `${field} ${value}`;
      field = "";
    }
    if (value === "*" && !field) {
      everything ||= !negated;
      continue;
    }
    const words = indexWords(value);
    if (field) {
      conditions.push({ field, text: value, phrase: phrase !== undefined, negated });
      if (RANKED.has(field) && !negated) ranked.push(...words);
    } else if (!words.length) {
      continue;
    } else if (negated) {
      conditions.push({ field: "", text: value, phrase: words.length > 1, negated });
    } else {
      ranked.push(...words);
      if (phrase !== undefined && words.length > 1) {
        conditions.push({ field: "", text: value, phrase: true, negated });
      }
      open = phrase === undefined && start + whole.length === readable.length;
    }
  }
  const words = telling(ranked);
  const last = ranked.at(-1) ?? "";
  const goesOn = open && /[\p{L}\p{N}\p{M}]$/u.test(readable) && words.at(-1) === last;
  return {
    text,
    words,
    written: ranked,
    spellings: new Map(spellings(readable)),
    conditions: conditions.slice(0, MOST_CONDITIONS),
    everything,
    last: goesOn ? last : "",
  };
}

/**
 * First and last year of `2019`, `2019..2023`, `2019..` or `..2023`.
 *
 * @param {string} text
 * @returns {[number, number] | null}
 */
export function parseYears(text) {
  const match = /^(\d{1,4})?(\.\.|-)?(\d{1,4})?$/.exec(text);
  if (!match || !(match[1] || match[3])) return null;
  if (!match[2]) return [Number(text), Number(text)];
  return [Number(match[1] ?? 0), Number(match[3] ?? 9999)];
}

/**
 * The words that say something, or all if none does; not too many, and none too often.
 *
 * @param {string[]} words
 */
function telling(words) {
  let some = words.filter((word) => !STOP_WORDS.has(word));
  if (words.length > SENTENCE) {
    const fewer = some.filter((word) => !SENTENCE_WORDS.has(word));
    if (fewer.length) some = fewer;
  }
  /** @type {Map<string, number>} */
  const counts = new Map();
  return (some.length ? some : words).filter((word) => {
    const count = counts.get(word) ?? 0;
    if (count >= MOST_REPEATS || (!count && counts.size >= MOST_WORDS)) return false;
    counts.set(word, count + 1);
    return true;
  });
}
