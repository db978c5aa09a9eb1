/**
 * Where the words of a query stand in a text, and the part of an abstract to show.
 *
 * @module
 */

import { indexWords } from "./words.js";

const CHUNKS = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const SNIPPET_LENGTH = 220;

/**
 * @param {string} text
 * @param {(word: string) => boolean} isWanted
 * @returns {[number, number][]} start and end of each, in UTF-16 units
 */
export function marks(text, isWanted) {
  /** @type {[number, number][]} */
  const found = [];
  for (const match of text.matchAll(CHUNKS)) {
    const start = match.index ?? 0;
    if (indexWords(match[0]).some(isWanted)) found.push([start, start + match[0].length]);
  }
  return found;
}

/**
 * The part of a text with most different words, about SNIPPET_LENGTH long.
 *
 * @param {string} abstract
 * @param {(word: string) => boolean} isWanted
 * @returns {{text: string, marks: [number, number][]}}
 */
export function snippet(abstract, isWanted) {
  const text = abstract.split(/\s+/u).filter(Boolean).join(" ");
  const all = marks(text, isWanted);
  let start = bestStart(text, all);
  if (start) start = text.indexOf(" ", start) + 1 || start;
  let end = text.length;
  if (start + SNIPPET_LENGTH < text.length) {
    end = Math.max(text.lastIndexOf(" ", start + SNIPPET_LENGTH), start + SNIPPET_LENGTH / 2);
  }
  const before = start ? "… " : "";
  const after = end < text.length ? " …" : "";
  const shift = before.length - start;
  return {
    text: before + text.slice(start, end) + after,
    marks: all
      .filter(([a, b]) => a >= start && b <= end)
      .map(([a, b]) => [a + shift, b + shift]),
  };
}

/**
 * @param {string} text
 * @param {[number, number][]} all
 */
function bestStart(text, all) {
  let best = 0;
  let most = 0;
  all.slice(0, 200).forEach(([first], i) => {
    const start = first > SNIPPET_LENGTH - 60 ? Math.max(first - 40, 0) : 0;
    const seen = new Set();
    for (const [a, b] of all.slice(i, i + 40)) {
      if (b > start + SNIPPET_LENGTH) break;
      seen.add(text.slice(a, b).toLowerCase());
    }
    if (seen.size > most) {
      best = start;
      most = seen.size;
    }
  });
  return best;
}
