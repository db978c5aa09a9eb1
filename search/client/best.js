/**
 * The first documents of a list, without sorting all that were found.
 *
 * @module
 */

import { readColumn } from "./columns.js";

/** @typedef {import("./segment.js").Segment} Segment */

/** @typedef {import("./ranking.js").Scored} Scored */

/**
 * @typedef {object} Found
 * @property {Scored[]} shown the documents of the list in each segment
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
export async function findBest(segments, { shown, exact, sort }, wanted) {
  if (wanted < 1) return [];
  const firsts = await Promise.all(
    segments.map(async (segment, i) => {
      const { numbers, scores } = shown[i];
      const yearOf = sort === "relevance" ? null : await byYear(segment, sort);
      const first = yearOf ? Float64Array.from(numbers, yearOf) : scores;
      if (!exact[i].size) return first;
      return first.map((own, k) => (exact[i].has(numbers[k]) ? Number.MAX_SAFE_INTEGER : own));
    }),
  );
  const highest = new Highest(wanted);
  for (const first of firsts) for (let k = 0; k < first.length; k++) highest.add(first[k]);
  const { least } = highest;
  /** @type {Ranked[]} */
  const all = [];
  shown.forEach(({ numbers, scores }, segment) => {
    const own = firsts[segment];
    for (let k = 0; k < numbers.length; k++) {
      if (own[k] < least) continue;
      const number = numbers[k];
      const isExact = exact[segment].has(number);
      all.push({ segment, number, first: own[k], score: scores[k], exact: isExact });
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
