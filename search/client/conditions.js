/**
 * Which documents of a segment meet a condition of the query.
 *
 * @module
 */

import { having, readColumn } from "./columns.js";
import { parseYears } from "./language.js";
import { findPhrase } from "./postings.js";
import { handle, indexWords, keyHash, splitWords } from "./words.js";

/** @typedef {import("./language.js").Condition} Condition */
/** @typedef {import("./segment.js").Segment} Segment */
/** @typedef {import("./segment.js").List} List */

/** @type {Record<string, [number, number]>} */
const PLACES = {
  title: [0, 1024],
  venue: [1024, 2048],
  topic: [2048, 3072],
  institution: [3072, 4096],
  abstract: [4096, 65536],
};

/**
 * A mark for each document that meets a condition, its negation left aside.
 *
 * @param {Segment} segment
 * @param {Condition} condition
 * @returns {Promise<Uint8Array>}
 */
export async function meeting(segment, { field, text, phrase }) {
  const { documents } = segment;
  switch (field) {
    case "year": {
      const years = parseYears(text);
      if (!years) return new Uint8Array(documents);
      return having(await readColumn(segment, "year"), inYears(years), documents);
    }
    case "id":
    case "doi":
      return marked(documents, await segment.documentsWithKey(keyHash(handle(text))));
    case "type":
    case "access":
    case "status": {
      const wanted = text.toLowerCase();
      return having(await readColumn(segment, field), (value) => value === wanted, documents);
    }
    case "venue":
    case "kind": {
      const wanted = ` ${splitWords(text).join(" ")} `;
      const accepts = (/** @type {string} */ value) =>
        wanted.trim() !== "" && ` ${splitWords(value).join(" ")} `.includes(wanted);
      return having(
        await readColumn(segment, field),
        (value, label) => accepts(value) || accepts(label),
        documents,
      );
    }
    default:
      return marked(documents, await inText(segment, field, indexWords(text), phrase));
  }
}

/**
 * @param {[number | null, number | null]} years
 * @returns {(value: string) => boolean}
 */
export function inYears([from, to]) {
  return (value) => Number(value) >= (from ?? 0) && Number(value) <= (to ?? 9999);
}

/**
 * The documents that have words in a field; in any, if none is named.
 *
 * @param {Segment} segment
 * @param {string} field
 * @param {string[]} words
 * @param {boolean} phrase whether they must stand side by side
 * @returns {Promise<Iterable<number>>}
 */
async function inText(segment, field, words, phrase) {
  if (!words.length) return [];
  const some = words.slice(0, 30);
  const terms = await Promise.all(some.map((word) => segment.term(word)));
  const found = new Set();
  const [from, to] = PLACES[field] ?? [0, Number.POSITIVE_INFINITY];
  const names = field === "" || field === "author";
  const inPlace = (/** @type {number} */ position) => position >= from && position < to;
  const searched = [];
  if (names) searched.push({ lists: terms.map((term) => term?.names), allowed: () => true });
  if (field !== "author") {
    searched.push({ lists: terms.map((term) => term?.text), allowed: inPlace });
  }
  for (const { lists, allowed } of searched) {
    const all = /** @type {List[]} */ (lists.filter(Boolean));
    if (all.length < lists.length) continue;
    for (const number of await together(segment, all, allowed, phrase && all.length > 1, field)) {
      found.add(number);
    }
  }
  return found;
}

/**
 * @param {Segment} segment
 * @param {List[]} lists
 * @param {(position: number) => boolean} allowed
 * @param {boolean} phrase
 * @param {string} field
 * @returns {Promise<Iterable<number>>}
 */
async function together(segment, lists, allowed, phrase, field) {
  if (!phrase && !PLACES[field]) {
    const postings = await Promise.all(lists.map((list) => segment.postings(list)));
    const sets = postings.map(({ numbers }) => new Set(numbers));
    return [...sets[0]].filter((number) => sets.every((set) => set.has(number)));
  }
  const positions = await Promise.all(lists.map((list) => segment.positions(list)));
  if (phrase) return findPhrase(positions, allowed);
  return [...positions[0].keys()].filter((number) =>
    positions.every((word) => word.get(number)?.some(allowed)),
  );
}

/**
 * @param {number} documents
 * @param {Iterable<number>} numbers
 */
function marked(documents, numbers) {
  const mask = new Uint8Array(documents);
  for (const number of numbers) mask[number] = 1;
  return mask;
}
