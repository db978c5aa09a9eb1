/**
 * How much a document is about a query, in whole numbers as in search/ranking.py.
 *
 * @module
 */

export const LONGER_WORD = 0.3;
export const BEGUN_WORD = 0.8;
export const INFLECTED = 0.9;
export const TYPO = 0.7;
export const OTHER_SPELLING = 0.9;
export const REVERSED_NAME = 0.8;
const SAME_FORM = 0.1;
const WHOLE_QUERY = 0.5;
const COORDINATION = 0.5;
export const LONGEST_COORDINATED = 6;
const RARITY_UNIT = 1000;

/**
 * How much a word tells that so many of the documents have, in thousandths.
 *
 * @param {number} documents
 * @param {number} frequency
 */
export function rarity(documents, frequency) {
  const known = Math.min(frequency, documents);
  return Math.round(RARITY_UNIT * Math.log(1 + (documents - known + 0.5) / (known + 0.5)));
}

/**
 * The score of one of the best documents, more if title and names have words as written, and
 * much more if they have all words of a short query.
 *
 * @param {number} score
 * @param {number} same how many words title and names have
 * @param {number} words how many different words the query has
 */
export function inThisForm(score, same, words) {
  if (!words) return score;
  const whole = same === words && words <= LONGEST_COORDINATED ? WHOLE_QUERY : 0;
  return Math.floor(score * (1 + (SAME_FORM * same) / words + whole));
}

/**
 * Documents of a segment and their scores, side by side.
 *
 * @typedef {object} Scored
 * @property {Int32Array} numbers in no order
 * @property {Float64Array} scores
 */

/**
 * Adds up the scores of a segment's documents, word by word. It serves one query after the
 * other: what a query costs grows with the documents that it touches, not with the index.
 */
export class Scores {
  /** @param {number} documents */
  constructor(documents) {
    this.scores = new Float64Array(documents);
    this.matched = new Uint8Array(documents);
    this.word = new Int32Array(documents);
    /** Documents with the current word. */
    this.touched = new Int32Array(documents);
    this.touches = 0;
    /** Documents with any word. */
    this.found = new Int32Array(documents);
    this.finds = 0;
  }

  /**
   * A list of the current word: the best of its lists counts.
   *
   * @param {import("./postings.js").Postings} postings
   * @param {number} rare
   * @param {number} share
   * @param {(document: number) => number} [also] a further factor
   */
  add({ numbers, impacts }, rare, share, also) {
    const { word, touched } = this;
    for (let i = 0; i < numbers.length; i++) {
      const document = numbers[i];
      let value = rare * impacts[i];
      if (share !== 1) value = Math.floor(value * share);
      if (also) value = Math.floor(value * also(document));
      const before = word[document];
      if (value > before) {
        if (!before) touched[this.touches++] = document;
        word[document] = value;
      }
    }
  }

  /**
   * @param {number} repeats how often the query has the word
   * @param {boolean} counts whether it counts as one of the query's words
   */
  endWord(repeats, counts) {
    const { scores, matched, word, touched } = this;
    for (let i = 0; i < this.touches; i++) {
      const document = touched[i];
      if (!scores[document]) this.found[this.finds++] = document;
      scores[document] += word[document] * repeats;
      if (counts) matched[document]++;
      word[document] = 0;
    }
    this.touches = 0;
  }

  /**
   * What the query found; nothing of it is left for the next one.
   *
   * @param {object} query
   * @param {number} query.words how many different words it has
   * @param {boolean} query.everything whether all documents are found, with or without its words
   * @param {Set<number>} query.exact documents that are found in any case
   * @param {(document: number) => boolean} isAllowed
   * @returns {Scored}
   */
  take({ words, everything, exact }, isAllowed) {
    const { scores, matched, found } = this;
    if (words > 1 && words <= LONGEST_COORDINATED) {
      const shares = Array.from({ length: words + 1 }, (_, i) => (i / words) ** COORDINATION);
      for (let i = 0; i < this.finds; i++) {
        const document = found[i];
        const share = matched[document];
        if (share && share < words) scores[document] = Math.floor(scores[document] * shares[share]);
      }
    }
    const numbers = new Int32Array(everything ? scores.length : this.finds + exact.size);
    let taken = 0;
    if (everything) {
      for (let document = 0; document < scores.length; document++) {
        if (isAllowed(document)) numbers[taken++] = document;
      }
    } else {
      for (let i = 0; i < this.finds; i++) {
        const document = found[i];
        if (matched[document] && isAllowed(document)) numbers[taken++] = document;
      }
      for (const document of exact) {
        if (!matched[document] && isAllowed(document)) numbers[taken++] = document;
      }
    }
    const part = numbers.subarray(0, taken);
    const own = new Float64Array(taken);
    for (let i = 0; i < taken; i++) own[i] = scores[part[i]];
    for (let i = 0; i < this.finds; i++) scores[found[i]] = matched[found[i]] = 0;
    this.finds = 0;
    return { numbers: part, scores: own };
  }
}
