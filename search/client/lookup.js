/**
 * What the words of a query stand for in all segments: themselves, words that go on where
 * the last one stops, words that an unknown one may have been meant as.
 *
 * @module
 */

import { BEGUN_WORD, INFLECTED, LONGER_WORD, LONGEST_COORDINATED, TYPO } from "./ranking.js";
import { nearWords } from "./vocabulary.js";

/** @typedef {import("./segment.js").Segment} Segment */
/** @typedef {import("./segment.js").Term} Term */

/**
 * A word as the index knows it.
 *
 * @typedef {object} Known
 * @property {string} form
 * @property {(Term | null)[]} terms in each segment
 * @property {number} inText how many documents have it in titles, abstracts and so on
 * @property {number} inNames how many have it in names
 */

/**
 * A word of the query and what it stands for.
 *
 * @typedef {object} Meaning
 * @property {string} word
 * @property {number} repeats
 * @property {Known} known
 * @property {{known: Known, share: number, atLeast?: number}[]} others `atLeast` says how
 *   frequent each is taken to be: a rare longer word tells no more than the usual one
 * @property {string | null} corrected what it was probably meant as
 */

const SHORTEST_BEGINNING = 2;
const MOST_FORMS = 60;
const ENDINGS = ["", "s", "es", "ed", "ing", "e", "y", "ies"];
const SHORTEST_STEM = 4;
const SHORTEST_RARE = 5;
/** A word is an ordinary one if texts have it more often than names by more than this. */
const ORDINARY = 10;
/** The impact of a word that a document has in its abstract only, if not often. */
const IN_PASSING = 16;

/**
 * @param {Segment[]} segments
 * @param {string} form
 * @returns {Promise<Known>}
 */
export async function lookUp(segments, form) {
  const found = await Promise.all(segments.map((segment) => segment.term(form)));
  const terms = await Promise.all(
    found.map(async (term, i) => {
      if (term) return term;
      for (const other of formsElsewhere(segments, found, i)) {
        const like = await segments[i].term(other);
        if (like?.text) return likeIt(like, form);
      }
      return null;
    }),
  );
  return sum(form, terms);
}

/**
 * The forms under which a segment may know a word that it does not have in this form: an
 * older segment's first, which younger ones know too, or those that a younger one has.
 *
 * @param {Segment[]} segments
 * @param {(Term | null)[]} terms
 * @param {number} at the segment
 * @returns {Set<string>}
 */
function formsElsewhere(segments, terms, at) {
  const forms = new Set();
  terms.forEach((term, i) => {
    if (!term?.text) return;
    forms.add(term.group);
    if (i > at) for (const form of segments[i].formsLike(term)) forms.add(form);
  });
  for (const term of terms) if (term) forms.delete(term.form);
  return forms;
}

/**
 * What a segment knows of a word by another of its forms.
 *
 * @param {Term} term
 * @param {string} form
 * @returns {Term}
 */
function likeIt(term, form) {
  return { ...term, form, names: null, spellings: new Map() };
}

/**
 * Two adjacent words of a short query that are a name together.
 *
 * @param {Segment[]} segments
 * @param {string[]} words
 * @param {Meaning[]} meanings
 * @returns {Promise<Known[]>}
 */
export async function findNames(segments, words, meanings) {
  if (meanings.length < 2 || meanings.length > LONGEST_COORDINATED) return [];
  const knownAs = new Map(meanings.map(({ word, known }) => [word, known]));
  const pairs = new Set();
  for (let i = 1; i < words.length; i++) {
    const [one, other] = [words[i - 1], words[i]];
    const [first, last] = [knownAs.get(one), knownAs.get(other)];
    if (one === other || !first?.inNames || !last?.inNames) continue;
    if (isOrdinary(first) && isOrdinary(last)) continue;
    pairs.add(`${one} ${other}`);
    // Names seldom begin with an ordinary word.
    if (!isOrdinary(last)) pairs.add(`${other} ${one}`);
  }
  const known = await Promise.all([...pairs].map((pair) => lookUp(segments, pair)));
  return known.filter(({ inNames }) => inNames);
}

/**
 * Whether a word is in texts much more often than in names.
 *
 * @param {Known} known
 */
function isOrdinary({ inNames, inText }) {
  return inNames * ORDINARY < inText;
}

/**
 * @param {Segment[]} segments
 * @param {string[]} words
 * @param {string} last the last word, if it may go on
 * @returns {Promise<Meaning[]>}
 */
export async function findMeanings(segments, words, last) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Promise.all(
    [...counts].map(async ([word, repeats]) => {
      const begins = word === last && word.length >= SHORTEST_BEGINNING;
      const [known, longer] = await Promise.all([
        lookUp(segments, word),
        begins ? findLonger(segments, word) : [],
      ]);
      const frequency = known.inText + known.inNames;
      const share = frequency ? LONGER_WORD : BEGUN_WORD;
      const most = Math.max(0, ...longer.map(({ inText, inNames }) => inText + inNames));
      const group = known.terms.find(Boolean)?.group;
      const others = longer
        .filter(({ form, terms }) => form !== word && terms.find(Boolean)?.group !== group)
        .map((other) => ({ known: other, share, atLeast: most }));
      // What an unknown word may be meant as is fetched while its other endings are looked for.
      if (!frequency && !longer.length) {
        for (const segment of segments) nearWords(segment, word).catch(() => {});
      }
      const inflected = frequency ? [] : await findInflected(segments, word);
      others.push(...inflected.map((other) => ({ known: other, share: INFLECTED })));
      if (inflected.length) return { word, repeats, known, others, corrected: null };
      let corrected = null;
      if (!frequency || (word.length >= SHORTEST_RARE && isSlip(known, counts.size < 3))) {
        const near = longer.length && !frequency ? [] : await findNear(segments, word);
        const usual = near.length ? near[0].inText + near[0].inNames : 0;
        others.push(...near.map((other) => ({ known: other, share: TYPO, atLeast: usual })));
        if (!frequency && near.length) corrected = near[0].form;
      }
      return { word, repeats, known, others, corrected };
    }),
  );
}

/**
 * Whether the one document with a word may have it by a slip of the pen: not in a name, nor,
 * if there are more words to go by, in its title.
 *
 * @param {Known} known
 * @param {boolean} alone whether the query has hardly any other words
 */
function isSlip({ inText, inNames, terms }, alone) {
  if (inNames || inText !== 1) return false;
  if (alone) return true;
  return terms.every((term) => !term?.text || term.text.first[0] <= IN_PASSING);
}

/**
 * Known words that differ from one by one slip, the most frequent first.
 *
 * @param {Segment[]} segments
 * @param {string} word
 * @returns {Promise<Known[]>}
 */
export async function findNear(segments, word) {
  const found = await Promise.all(segments.map((segment) => nearWords(segment, word)));
  const forms = new Set(found.flat().map((near) => near.word));
  const known = await Promise.all([...forms].map((form) => lookUp(segments, form)));
  return byFrequency(known).slice(0, 8);
}

/**
 * The most frequent known word that an unknown one may be another ending of.
 *
 * @param {Segment[]} segments
 * @param {string} word
 * @returns {Promise<Known[]>}
 */
async function findInflected(segments, word) {
  const stems = ENDINGS.filter(
    (ending) => word.endsWith(ending) && word.length - ending.length >= SHORTEST_STEM,
  ).map((ending) => word.slice(0, word.length - ending.length));
  const forms = new Set(stems.flatMap((stem) => ENDINGS.map((ending) => stem + ending)));
  forms.delete(word);
  const known = await Promise.all([...forms].map((form) => lookUp(segments, form)));
  return byFrequency(known.filter(({ inText }) => inText)).slice(0, 1);
}

/**
 * @param {Segment[]} segments
 * @param {string} beginning
 * @returns {Promise<Known[]>}
 */
async function findLonger(segments, beginning) {
  const found = await Promise.all(segments.map((segment) => segment.termsFrom(beginning)));
  /** @type {Map<string, (Term | null)[]>} */
  const forms = new Map();
  found.forEach((terms, i) => {
    for (const term of terms) {
      let known = forms.get(term.form);
      if (!known) forms.set(term.form, (known = segments.map(() => null)));
      known[i] = term;
    }
  });
  const known = [...forms].map(([form, terms]) => {
    const whole = terms.map((term, i) => {
      if (term) return term;
      for (const other of formsElsewhere(segments, terms, i)) {
        const like = forms.get(other)?.[i];
        if (like?.text) return likeIt(like, form);
      }
      return null;
    });
    return sum(form, whole);
  });
  return byFrequency(known).slice(0, MOST_FORMS);
}

/**
 * @param {string} form
 * @param {(Term | null)[]} terms
 * @returns {Known}
 */
function sum(form, terms) {
  let inText = 0;
  let inNames = 0;
  for (const term of terms) {
    inText += term?.text?.frequency ?? 0;
    inNames += term?.names?.frequency ?? 0;
  }
  return { form, terms, inText, inNames };
}

/** @param {Known[]} known */
function byFrequency(known) {
  return known.sort(
    (a, b) => b.inText + b.inNames - a.inText - a.inNames || (a.form < b.form ? -1 : 1),
  );
}
