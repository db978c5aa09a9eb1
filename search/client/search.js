/**
 * Find and rank the documents that answer a query, over one or several indexes.
 *
 * @module
 */

import { handle, hashKey, indexWords, titleWords } from "./words.js";

/** @typedef {import('./shards.js').ShardIndex} ShardIndex */
/** @typedef {import('./shards.js').Term} Term */
/** @typedef {import('./shards.js').Result} Result */

/**
 * @typedef {object} Answer
 * @property {number} total how many documents match
 * @property {(start: number, end: number) => Promise<Result[]>} results some, by rank
 */

/**
 * @typedef {object} ParsedQuery
 * @property {string[]} words to rank by, as often as they were written
 * @property {string[]} unwanted words that results must not have
 * @property {string} prefix a last word that may go on, or empty
 */

const LONGEST_QUERY = 10_000;
const MOST_WORDS = 40;
const SHORTEST_PREFIX = 2;
const MOST_FORMS = 60;
const COORDINATION = 0.5;
const LONGEST_COORDINATED = 6;
const BEGUN_WORD = 0.8;
const LONGER_WORD = 0.3;

// As in search/language.py.
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

/**
 * What a text asks for. Any text is a query.
 *
 * @param {string} text
 * @returns {ParsedQuery}
 */
export function parseQuery(text) {
  const query = text.slice(0, LONGEST_QUERY);
  const wanted = [];
  const unwanted = [];
  for (const part of query.split(/\s+/u)) {
    if (/^-[^-]/u.test(part)) unwanted.push(...indexWords(part));
    else wanted.push(...indexWords(part));
  }
  const telling = wanted.filter((word) => !STOP_WORDS.has(word));
  const words = (telling.length ? telling : wanted).slice(-MOST_WORDS);
  const last = wanted.at(-1) ?? "";
  const says = !STOP_WORDS.has(last) || !telling.length;
  const isOpen = /[\p{L}\p{N}\p{M}]$/u.test(query) && !/(^|\s)-\S*$/u.test(query);
  const prefix = isOpen && says && last.length >= SHORTEST_PREFIX ? last : "";
  return { words, unwanted: unwanted.slice(0, MOST_WORDS), prefix };
}

/**
 * Answer a query. What the text names whole, by title, id or DOI, comes first.
 *
 * @param {ShardIndex[]} indexes
 * @param {string} text
 * @returns {Promise<Answer>}
 */
export async function search(indexes, text) {
  const query = parseQuery(text);
  const counts = new Map();
  for (const word of query.words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts.keys()];
  const [sizes, exact, found, excluded] = await Promise.all([
    Promise.all(indexes.map((index) => index.countDocuments())),
    Promise.all(indexes.map((index) => findExact(index, text))),
    Promise.all(
      words.map((word) =>
        Promise.all(indexes.map((index) => findWord(index, word, word === query.prefix))),
      ),
    ),
    Promise.all(
      query.unwanted.map((word) =>
        Promise.all(indexes.map((index) => findWord(index, word, false))),
      ),
    ),
  ]);
  const documents = sizes.reduce((sum, size) => sum + size, 0);
  /** @type {{index: number, number: number, score: number, exact: number}[]} */
  const hits = [];
  for (let index = 0; index < indexes.length; index++) {
    const scores = new Map();
    const matched = new Map();
    words.forEach((word, i) => {
      const frequency = found[i].reduce((sum, list) => sum + list.size, 0);
      const rarity = Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
      for (const [number, impact] of found[i][index]) {
        const score = (impact + 1) * rarity * (counts.get(word) ?? 1);
        scores.set(number, (scores.get(number) ?? 0) + score);
        matched.set(number, (matched.get(number) ?? 0) + 1);
      }
    });
    for (const lists of excluded) {
      for (const number of lists[index].keys()) scores.delete(number);
    }
    if (words.length > 1 && words.length <= LONGEST_COORDINATED) {
      for (const [number, score] of scores) {
        scores.set(number, score * (matched.get(number) / words.length) ** COORDINATION);
      }
    }
    for (const number of exact[index].keys()) {
      if (!scores.has(number)) scores.set(number, 0);
    }
    for (const [number, score] of scores) {
      hits.push({ index, number, score, exact: exact[index].get(number) ?? 0 });
    }
  }
  hits.sort(
    (a, b) => b.exact - a.exact || b.score - a.score || a.index - b.index || a.number - b.number,
  );
  return {
    total: hits.length,
    results: (start, end) =>
      Promise.all(hits.slice(start, end).map((hit) => indexes[hit.index].result(hit.number))),
  };
}

/**
 * The documents whose title, id or DOI the whole text is; titles outrank.
 *
 * @param {ShardIndex} index
 * @param {string} text
 * @returns {Promise<Map<number, number>>}
 */
async function findExact(index, text) {
  const title = titleWords(text);
  const [named, titled] = await Promise.all([
    text.trim() ? index.documentsWithKey(hashKey(`id ${handle(text)}`)) : [],
    title ? index.documentsWithKey(hashKey(`title ${title}`)) : [],
  ]);
  /** @type {Map<number, number>} */
  const exact = new Map(named.map((number) => [number, 1]));
  for (const number of titled) exact.set(number, 2);
  return exact;
}

/**
 * Where a word occurs: itself, and if it is only begun, the words that it may become.
 *
 * @param {ShardIndex} index
 * @param {string} word
 * @param {boolean} isBegun
 * @returns {Promise<Map<number, number>>} number → impact
 */
async function findWord(index, word, isBegun) {
  const terms = await index.terms(word, isBegun ? word : "");
  const whole = terms.find((term) => term.form === word);
  /** @type {Map<number, number>} */
  const found = new Map(whole ? await index.postings(whole) : []);
  if (!isBegun) return found;
  const share = whole ? LONGER_WORD : BEGUN_WORD;
  const longer = terms
    .filter((term) => term !== whole)
    .sort((a, b) => width(b) - width(a))
    .slice(0, MOST_FORMS)
    .filter((term, i) => i < 3 || !term.cells.some((cell) => cell.startsWith("#")));
  for (const list of await Promise.all(longer.map((term) => index.postings(term)))) {
    for (const [number, impact] of list) {
      found.set(number, Math.max(found.get(number) ?? 0, impact * share));
    }
  }
  return found;
}

/**
 * How much a term occurs, roughly: lists in files of their own are the longest.
 *
 * @param {Term} term
 */
function width(term) {
  return term.cells.reduce((sum, cell) => sum + (cell.startsWith("#") ? 1e6 : cell.length), 0);
}
