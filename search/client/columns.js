/**
 * Columns: which documents have which value of a facet; filters and counts.
 *
 * @module
 */

/** @typedef {import("./segment.js").Segment} Segment */

/**
 * @typedef {object} Column
 * @property {string[]} values
 * @property {string[]} labels
 * @property {Int32Array | null} single document → value, or -1; null where there may be many
 * @property {Int32Array[]} lists value → documents, where there may be many
 */

/** @type {WeakMap<object, Column>} */
const decoded = new WeakMap();

/**
 * @param {Segment} segment
 * @param {string} name
 * @returns {Promise<Column>}
 */
export async function readColumn(segment, name) {
  const written = await segment.column(name);
  let column = decoded.get(written);
  if (!column) decoded.set(written, (column = decode(written, segment.documents)));
  return column;
}

/**
 * @param {{values: (string | string[])[], runs?: number[], steps?: number[][]}} written
 * @param {number} documents
 * @returns {Column}
 */
function decode({ values, runs, steps }, documents) {
  const names = values.map((value) => (typeof value === "string" ? value : value[0]));
  const labels = values.map((value) => (typeof value === "string" ? value : value[1]));
  let single = null;
  if (runs) {
    single = new Int32Array(documents).fill(-1);
    for (let i = 0, at = 0; i < runs.length; i += 2) {
      single.fill(runs[i], at, (at += runs[i + 1]));
    }
  }
  const lists = (steps ?? []).map((list) => {
    let number = 0;
    return Int32Array.from(list, (step) => (number += step));
  });
  return { values: names, labels, single, lists };
}

/**
 * A mark for each document that has one of the values that `accepts` takes.
 *
 * @param {Column} column
 * @param {(value: string, label: string) => boolean} accepts
 * @param {number} documents
 */
export function having({ values, labels, single, lists }, accepts, documents) {
  const mask = new Uint8Array(documents);
  const accepted = values.map((value, i) => accepts(value, labels[i]));
  if (single) {
    for (let i = 0; i < single.length; i++) if (accepted[single[i]]) mask[i] = 1;
  }
  lists.forEach((list, i) => {
    if (accepted[i]) for (const number of list) mask[number] = 1;
  });
  return mask;
}

/**
 * Add to `counts` how many of the documents have each value.
 *
 * @param {Column} column
 * @param {Int32Array} numbers of the documents
 * @param {number} documents how many the segment has
 * @param {Map<string, {value: string, label: string, count: number}>} counts
 */
export function count({ values, labels, single, lists }, numbers, documents, counts) {
  const found = new Int32Array(values.length);
  if (single) {
    for (let i = 0; i < numbers.length; i++) {
      const value = single[numbers[i]];
      if (value >= 0) found[value]++;
    }
  }
  if (lists.length) {
    const mask = new Uint8Array(documents);
    for (let i = 0; i < numbers.length; i++) mask[numbers[i]] = 1;
    lists.forEach((list, i) => {
      for (let k = 0; k < list.length; k++) found[i] += mask[list[k]];
    });
  }
  found.forEach((number, i) => {
    if (!number) return;
    const known = counts.get(values[i]);
    if (known) known.count += number;
    else counts.set(values[i], { value: values[i], label: labels[i], count: number });
  });
}
