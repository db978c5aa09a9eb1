/**
 * Posting lists: which documents have a word, how much it counts there, and where it stands.
 *
 * @module
 */

import { Reader } from "./bytes.js";
import { EngineError } from "./errors.js";

/**
 * @typedef {object} Postings
 * @property {Int32Array} numbers of documents, by falling impact
 * @property {Uint8Array} impacts
 */

/**
 * @param {Uint8Array[]} blocks
 * @param {number} frequency how many documents all blocks of the list name
 * @param {number} documents how many there are in the segment
 * @returns {Postings}
 */
export function decodePostings(blocks, frequency, documents) {
  const numbers = new Int32Array(frequency);
  const impacts = new Uint8Array(frequency);
  let found = 0;
  for (const block of blocks) {
    const length = block.length;
    let at = 0;
    const next = () => {
      let value = 0;
      for (let shift = 0; shift < 32; shift += 7) {
        if (at >= length) throw new EngineError("damaged");
        const byte = block[at++];
        value += (byte & 127) << shift;
        if (byte < 128) return value;
      }
      throw new EngineError("damaged");
    };
    while (at < length) {
      const impact = block[at++];
      let number = 0;
      for (let left = next(); left > 0; left--) {
        number += next();
        if (number >= documents || found >= frequency) throw new EngineError("damaged");
        numbers[found] = number;
        impacts[found++] = impact;
      }
    }
  }
  return { numbers: numbers.subarray(0, found), impacts: impacts.subarray(0, found) };
}

/**
 * Where a word stands in each document of its postings.
 *
 * @param {Uint8Array} bytes
 * @param {Postings} postings
 * @returns {Map<number, number[]>}
 */
export function decodePositions(bytes, postings) {
  const reader = new Reader(bytes);
  const found = new Map();
  for (const document of postings.numbers) {
    const positions = [];
    for (let position = 0, more = 1; more; ) {
      const value = reader.number();
      more = value & 1;
      position += value >> 1;
      positions.push(position);
    }
    found.set(document, positions);
  }
  return found;
}

/**
 * The documents in which the words stand side by side.
 *
 * @param {Map<number, number[]>[]} words where each stands
 * @param {(position: number) => boolean} allowed
 * @returns {Set<number>}
 */
export function findPhrase(words, allowed) {
  const found = new Set();
  const [first, ...others] = words;
  for (const [document, starts] of first ?? []) {
    const places = others.map((word) => word.get(document));
    if (places.some((place) => !place)) continue;
    const stands = starts.some(
      (start) => allowed(start) && places.every((place, i) => place?.includes(start + i + 1)),
    );
    if (stands) found.add(document);
  }
  return found;
}
