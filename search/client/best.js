/**
 * The first documents of a list, without sorting all that were found.
 *
 * @module
 */

import { readColumn } from "./columns.js";

/** @typedef {import("./segment.js").Segment} Segment */

/**
 * @typedef {object} Found
 * @property {Uint8Array[]} shown for each segment a mark for each document of the list
 * @property {import("./ranking.js").Scores[]} scores
 * @property {Set<number>[]} exact documents that come before all
 * @property {"relevance" | "newest" | "oldest"} sort
 */

/**
 * @typedef {object} Ranked
 * @property {number} segment
 * @property {number} number
 * @property {number} first what it is sorted by
 * @property {number} score
 * @property {boolean} exact
 */

/**
 * The first documents of the list, in order.
 *
 * @param {Segment[]} segments
 * @param {Found} found
 * @param {number} wanted how many
 * @returns {Promise<Ranked[]>}
 */
export async function findBest(segments, { shown, scores, exact, sort }, wanted) {
  if (wanted < 1) return [];
  const firsts = await Promise.all(
    segments.map(async (segment, i) => {
      const plain = sort === "relevance" ? null : await byYear(segment, sort);
      const own = scores[i].scores;
      const first = plain ?? ((/** @type {number} */ number) => own[number]);
      if (!exact[i].size) return first;
      return (/** @type {number} */ number) =>
        exact[i].has(number) ? Number.MAX_SAFE_INTEGER : first(number);
    }),
  );
  const highest = new Highest(wanted);
  shown.forEach((mask, i) => {
    const first = firsts[i];
    for (let number = 0; number < mask.length; number++) {
      if (mask[number]) highest.add(first(number));
    }
  });
  const { least } = highest;
  /** @type {Ranked[]} */
  const all = [];
  shown.forEach((mask, segment) => {
    const firstOf = firsts[segment];
    for (let number = 0; number < mask.length; number++) {
      if (!mask[number]) continue;
      const first = firstOf(number);
      if (first < least) continue;
      const score = scores[segment].scores[number];
      all.push({ segment, number, first, score, exact: exact[segment].has(number) });
    }
  });
  all.sort(
    (a, b) =>
      b.first - a.first || b.score - a.score || b.segment - a.segment || a.number - b.number,
  );
  return all.slice(0, wanted);
}

/**
 * @param {Segment} segment
 * @param {"newest" | "oldest"} sort
 * @returns {Promise<(number: number) => number>}
 */
async function byYear(segment, sort) {
  const { single, values } = await readColumn(segment, "year");
  const years = values.map(Number);
  const yearOf = (/** @type {number} */ number) => years[single?.[number] ?? -1] ?? 0;
  if (sort === "newest") return yearOf;
  return (number) => -(yearOf(number) || 9999);
}

/** Keeps the highest of the values that it is given: a heap with the least of them at its top. */
class Highest {
  /** @param {number} wanted how many */
  constructor(wanted) {
    this.heap = new Float64Array(wanted).fill(Number.NEGATIVE_INFINITY);
  }

  get least() {
    return this.heap[0];
  }

  /** @param {number} value */
  add(value) {
    const { heap } = this;
    if (value <= heap[0]) return;
    let at = 0;
    for (;;) {
      let lower = 2 * at + 1;
      if (lower >= heap.length) break;
      if (lower + 1 < heap.length && heap[lower + 1] < heap[lower]) lower++;
      if (heap[lower] >= value) break;
      heap[at] = heap[lower];
      at = lower;
    }
    heap[at] = value;
  }
}
