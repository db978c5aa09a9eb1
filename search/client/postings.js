/**
 * Posting lists as search/shards.py writes them: digits of six bits in ASCII.
 *
 * @module
 */

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit.charCodeAt(0), value]));

/**
 * Read postings: document numbers with their impact, 0 to 31.
 *
 * @param {string} text
 * @returns {Map<number, number>} number → impact
 */
export function decodePostings(text) {
  const postings = new Map();
  const reader = new Reader(text);
  while (!reader.atEnd) {
    const impact = reader.digit();
    let count = reader.number();
    let document = 0;
    while (count-- > 0) {
      document += reader.number();
      postings.set(document, impact);
    }
  }
  return postings;
}

/**
 * Read rising numbers.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function decodeNumbers(text) {
  const numbers = [];
  const reader = new Reader(text);
  let number = 0;
  while (!reader.atEnd) {
    number += reader.number();
    numbers.push(number);
  }
  return numbers;
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  get atEnd() {
    return this.at >= this.text.length;
  }

  digit() {
    const value = VALUES.get(this.text.charCodeAt(this.at++));
    if (value === undefined) throw new RangeError("A posting list is damaged.");
    return value;
  }

  number() {
    let number = 0;
    let scale = 1;
    for (;;) {
      const digit = this.digit();
      number += (digit % 32) * scale;
      if (digit < 32) return number;
      scale *= 32;
    }
  }
}
