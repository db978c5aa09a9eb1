/**
 * Known words that an unknown one may have been meant as.
 *
 * One slip leaves either the beginning or the end of a word as it is, so two small parts of
 * the vocabulary are enough: one sorted by beginnings, one by ends.
 *
 * @module
 */

import { lastNotAfter } from "./bytes.js";

/** @typedef {import("./segment.js").Segment} Segment */

const SHORTEST = 5;
const MOST_FILES = 3;
const MOST_WORDS = 8;

/**
 * The words of a segment that differ by one slip, the most frequent first.
 *
 * @param {Segment} segment
 * @param {string} word
 * @returns {Promise<{word: string, level: number}[]>}
 */
export async function nearWords(segment, word) {
  const characters = [...word];
  if (characters.length < SHORTEST || characters.length > 30) return [];
  const backwards = [...characters].reverse().join("");
  const parts = (
    await Promise.all([partsOf(segment, "v", word), partsOf(segment, "w", backwards)])
  ).flat();
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const { words, levels, reversed } of parts) {
    const wanted = reversed ? backwards : word;
    words.forEach((known, i) => {
      if (Math.abs(known.length - wanted.length) > 1 || !isOneSlip(wanted, known)) return;
      const plain = reversed ? [...known].reverse().join("") : known;
      found.set(plain, levels.charCodeAt(i) - 97);
    });
  }
  return [...found]
    .map(([known, level]) => ({ word: known, level }))
    .sort((a, b) => b.level - a.level || (a.word < b.word ? -1 : 1))
    .slice(0, MOST_WORDS);
}

/**
 * @param {Segment} segment
 * @param {"v" | "w"} folder
 * @param {string} word
 */
async function partsOf(segment, folder, word) {
  const firsts = segment.vocabulary[folder];
  if (!firsts.length) return [];
  // As long a part as needed that no more files than a few share it: about half the word.
  let length = Math.floor(word.length / 2) - 1;
  let first = 0;
  let last = 0;
  do {
    length++;
    const part = word.slice(0, length);
    first = Math.max(lastNotAfter(firsts, part), 0);
    last = Math.max(lastNotAfter(firsts, `${part}\uffff`), 0);
  } while (last - first >= MOST_FILES && length < word.length - 1);
  const files = [];
  for (let i = first; i <= last && files.length < MOST_FILES; i++) {
    files.push(segment.words(folder, i));
  }
  return (await Promise.all(files)).map((file) => ({ ...file, reversed: folder === "w" }));
}

/**
 * Whether one letter more, less, other, or two swapped make one word of the other.
 *
 * @param {string} one
 * @param {string} other
 */
export function isOneSlip(one, other) {
  if (one === other) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let a = one.length;
  let b = other.length;
  while (a > start && b > start && one[a - 1] === other[b - 1]) {
    a--;
    b--;
  }
  const left = a - start;
  const right = b - start;
  if (left <= 1 && right <= 1) return true;
  return left === 2 && right === 2 && one[start] === other[b - 1] && one[a - 1] === other[start];
}
