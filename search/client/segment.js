/**
 * One segment of an index: its words, their postings, its columns and results.
 *
 * @module
 */

import { frontCoded, jsonOf, lastNotAfter, Reader, textOf } from "./bytes.js";
import { EngineError } from "./errors.js";
import { decodePositions, decodePostings } from "./postings.js";

/** @typedef {import("./files.js").Files} Files */
/** @typedef {import("./postings.js").Postings} Postings */

/**
 * A posting list that is still bytes.
 *
 * @typedef {object} List
 * @property {number} frequency how many documents it names
 * @property {Uint8Array} first its best part
 * @property {string[]} more files of the rest
 * @property {number[]} tops the highest impact in each of these
 * @property {number[]} sizes the bytes of each
 * @property {string} positions the file of positions
 * @property {number | null} section the part of that file, if it has some
 * @property {number} place which list of that file
 */

/**
 * What the index knows of a word.
 *
 * @typedef {object} Term
 * @property {string} form
 * @property {string} group what forms of one word have in common
 * @property {List | null} text postings of all forms in titles, abstracts and so on
 * @property {List | null} names postings of this form in names
 * @property {Map<string, number[]>} spellings with accents → documents
 */

const MOST_SHARDS = 4;
const POSITIONS_TOGETHER = 4;
/** So many postings are kept at hand, of five bytes each. */
const MOST_DECODED = 2_000_000;
/** Columns that share a file, as in search/columns.py. */
const QUICK = new Set(["type", "kind", "year", "access"]);
const ENDING = /(?<=.{3})(?:s|es|ed|ing)$/u;

export class Segment {
  /**
   * @param {Files} files
   * @param {any} entry of the manifest
   */
  constructor(files, entry) {
    this.files = files;
    this.name = /** @type {string} */ (entry.name);
    /** Files that are to be read elsewhere. @type {Map<string, string>} */
    this.patched = patchesOf(entry.patches);
    this.documents = /** @type {number} */ (entry.documents);
    this.chunks = /** @type {number[][]} */ (entry.chunks);
    this.keyBits = /** @type {number} */ (entry.keys);
    this.columns = new Set(/** @type {string[]} */ (entry.columns));
    this.firsts = frontCoded(entry.firsts);
    this.vocabulary = { v: frontCoded(entry.v), w: frontCoded(entry.w) };
    /** @type {string[][]} */
    this.headForms = entry.heads ? entry.heads.split("\n\n").map(frontCoded) : [];
    /** @type {Map<string, number>} */
    this.heads = new Map();
    this.headForms.forEach((forms, i) => forms.forEach((form) => this.heads.set(form, i)));
    /** @type {Map<string, Set<string>>} */
    this.families = new Map();
    this.headLevels = /** @type {string} */ (entry.levels);
    /** @type {Map<List, {blocks: number, postings: Postings}>} */
    this.decoded = new Map();
    this.decodedSize = 0;
    this.dead = new Uint8Array(this.documents);
    let number = 0;
    for (const step of entry.dead) this.dead[(number += step)] = 1;
    this.living = this.documents - entry.dead.length;
  }

  /**
   * @template T
   * @param {string} path
   * @param {(bytes: Uint8Array) => T} decode
   */
  read(path, decode) {
    return this.files.read(this.folderOf(path), path, decode);
  }

  /**
   * The folder that a file is in.
   *
   * @param {string} path
   */
  folderOf(path) {
    return this.patched.get(path) ?? this.name;
  }

  /**
   * What is known of a word; null if it is not in the segment.
   *
   * @param {string} form
   * @returns {Promise<Term | null>}
   */
  async term(form) {
    const head = this.heads.get(form);
    if (head !== undefined) return (await this.readHead(head)).get(form) ?? null;
    const shard = lastNotAfter(this.firsts, form);
    if (shard < 0) return null;
    // The file of the form at which the postings of both are likely to stand, at the same time.
    const plain = lastNotAfter(this.firsts, form.replace(ENDING, ""));
    if (plain >= 0 && plain !== shard) this.readTerms(plain).catch(() => {});
    const term = (await this.readTerms(shard)).get(form);
    return term ? this.resolve(term) : null;
  }

  /**
   * The words that begin so: all frequent ones, of the others those in the first files.
   *
   * @param {string} beginning
   * @returns {Promise<Term[]>}
   */
  async termsFrom(beginning) {
    const last = lastNotAfter(this.firsts, `${beginning}\uffff`);
    const first = Math.max(lastNotAfter(this.firsts, beginning), 0);
    const shards = [];
    for (let i = first; i <= Math.min(last, first + MOST_SHARDS - 1); i++) {
      shards.push(this.readTerms(i));
    }
    const heads = new Set();
    for (const [form, head] of this.heads) if (form.startsWith(beginning)) heads.add(head);
    const level = (/** @type {number} */ head) => this.headLevels.charCodeAt(head);
    const most = [...heads].sort((a, b) => level(b) - level(a) || a - b).slice(0, MOST_SHARDS);
    const found = await Promise.all([...most.map((head) => this.readHead(head)), ...shards]);
    const terms = found.flatMap((terms) =>
      [...terms.values()].filter(({ form }) => form.startsWith(beginning) && !form.includes(" ")),
    );
    return Promise.all(terms.map((term) => this.resolve(term)));
  }

  /**
   * Words of a vocabulary file and how frequent they are, as the logarithm to base 2.
   *
   * @param {"v" | "w"} folder
   * @param {number} i
   * @returns {Promise<{words: string[], levels: string}>}
   */
  words(folder, i) {
    return this.read(`${folder}/${i}.bin`, (bytes) => {
      const text = textOf(bytes);
      const end = text.indexOf("\n");
      return { words: frontCoded(text.slice(end + 1)), levels: text.slice(0, end) };
    });
  }

  /**
   * @param {List} list
   * @param {number} blocks how many of its further blocks to load
   * @returns {Promise<Postings>}
   */
  async postings(list, blocks = list.more.length) {
    const known = this.decoded.get(list);
    if (known?.blocks === blocks) return known.postings;
    const more = list.more.slice(0, blocks).map((path) => this.read(path, (bytes) => bytes));
    const all = [list.first, ...(await Promise.all(more))];
    const postings = decodePostings(all, list.frequency, this.documents);
    // Whoever types a word asks for the same lists with every letter.
    this.decodedSize += postings.numbers.length;
    if (this.decodedSize > MOST_DECODED) {
      this.decoded.clear();
      this.decodedSize = postings.numbers.length;
    }
    this.decoded.set(list, { blocks, postings });
    return postings;
  }

  /**
   * @param {List} list
   * @returns {Promise<Map<number, number[]>>} document → positions
   */
  async positions(list) {
    const [postings, lists] = await Promise.all([
      this.postings(list),
      this.read(list.positions, (bytes) => {
        const reader = new Reader(bytes);
        const parts = [];
        while (!reader.done) parts.push(reader.sized());
        return parts;
      }),
    ]);
    const parts = list.section === null ? lists : partsOf(lists[list.section]);
    if (!parts[list.place]) throw new EngineError("damaged");
    return decodePositions(parts[list.place], postings);
  }

  /**
   * The documents with an id or DOI of this hash.
   *
   * @param {number} key
   * @returns {Promise<number[]>}
   */
  async documentsWithKey(key) {
    const shard = this.keyBits ? key >>> (32 - this.keyBits) : 0;
    const keys = await this.read(`k/${shard}.bin`, (bytes) => {
      const reader = new Reader(bytes);
      /** @type {Map<number, number[]>} */
      const found = new Map();
      while (!reader.done) {
        const [a, b, c, d] = reader.part(4);
        found.set(((d << 24) | (c << 16) | (b << 8) | a) >>> 0, reader.steps());
      }
      return found;
    });
    return keys.get(key) ?? [];
  }

  /**
   * @param {number} i
   * @returns {Promise<Map<string, Term>>}
   */
  readHead(i) {
    return this.read(`h/${i}.bin`, (bytes) => {
      const reader = new Reader(bytes);
      const frequency = reader.number();
      const blocks = reader.number();
      const positions = `q/${i}.bin`;
      let place = 0;
      /** @type {List | null} */
      let text = null;
      if (blocks) {
        text = {
          frequency,
          first: bytes,
          more: [],
          tops: [],
          sizes: [],
          positions,
          section: null,
          place: place++,
        };
        for (let k = 1; k < blocks; k++) {
          text.more.push(`h/${i}-${k}.bin`);
          text.tops.push(reader.number());
          text.sizes.push(reader.number());
        }
        text.first = reader.sized();
      }
      const terms = new Map();
      for (const form of this.headForms[i]) {
        const term = readTerm(reader, reader.byte(), form, positions, null, () => place++);
        terms.set(form, { ...term, text, group: this.headForms[i][0] });
      }
      return terms;
    });
  }

  /**
   * @param {number} i
   * @returns {Promise<Map<string, Term & {owner?: string}>>}
   */
  readTerms(i) {
    return this.read(`t/${i}.bin`, (bytes) => {
      const reader = new Reader(bytes);
      const count = reader.number();
      const forms = frontCoded(reader.text());
      if (forms.length !== count) throw new EngineError("damaged");
      const positions = `p/${Math.floor(i / POSITIONS_TOGETHER)}.bin`;
      const section = i % POSITIONS_TOGETHER;
      let place = 0;
      /** @type {(Term & {owner?: string})[]} */
      const terms = [];
      for (const form of forms) {
        const flags = reader.byte();
        /** @type {List | null} */
        let text = null;
        let group = form;
        let owner;
        if (flags & 1) {
          text = readList(reader, positions, section, place++);
        } else if (flags & 4) {
          const first = terms[terms.length - reader.number()];
          text = first.text;
          group = first.group;
        } else if (flags & 8) {
          group = owner = reader.text();
        }
        const term = readTerm(reader, flags, form, positions, section, () => place++);
        terms.push({ ...term, text, group, owner });
      }
      for (const { form, group } of terms) {
        if (form === group) continue;
        const family = this.families.get(group);
        if (family) family.add(form);
        else this.families.set(group, new Set([group, form]));
      }
      return new Map(terms.map((term) => [term.form, term]));
    });
  }

  /**
   * @param {Term & {owner?: string}} term
   * @returns {Promise<Term>}
   */
  async resolve(term) {
    if (!term.owner || term.text) return term;
    const first = (await this.readTerms(lastNotAfter(this.firsts, term.owner))).get(term.owner);
    if (!first) throw new EngineError("damaged");
    return { ...term, text: first.text };
  }

  /**
   * The forms of the same word, as far as they are at hand.
   *
   * @param {Term} term
   * @returns {string[]}
   */
  formsLike(term) {
    const head = this.heads.get(term.form);
    if (head !== undefined) return this.headForms[head];
    return [term.form, ...(this.families.get(term.group) ?? [])];
  }

  /**
   * A column, as it is written.
   *
   * @param {string} name
   * @returns {Promise<any>}
   */
  column(name) {
    if (!this.columns.has(name)) return Promise.resolve({ values: [], runs: [], steps: [] });
    const file = QUICK.has(name) ? "quick" : name;
    return this.read(`c/${file}.bin`, jsonOf).then((columns) => columns[name]);
  }
}

/**
 * Which files are in which patch.
 *
 * @param {[string, Record<string, (number | string)[]>][]} patches
 * @returns {Map<string, string>}
 */
function patchesOf(patches) {
  const found = new Map();
  for (const [patch, folders] of patches) {
    for (const [folder, names] of Object.entries(folders)) {
      let number = 0;
      for (const name of names) {
        const file = typeof name === "number" ? (number += name) : name;
        found.set(`${folder}/${file}.bin`, patch);
      }
    }
  }
  return found;
}

/**
 * @param {Reader} reader
 * @param {string} positions
 * @param {number | null} section
 * @param {number} place
 * @returns {List}
 */
function readList(reader, positions, section, place) {
  const frequency = reader.number();
  const first = reader.sized();
  return { frequency, first, more: [], tops: [], sizes: [], positions, section, place };
}

/** @param {Uint8Array | undefined} bytes */
function partsOf(bytes) {
  const reader = new Reader(bytes ?? new Uint8Array());
  const parts = [];
  while (!reader.done) parts.push(reader.sized());
  return parts;
}

/**
 * @param {Reader} reader
 * @param {number} flags
 * @param {string} form
 * @param {string} positions
 * @param {number | null} section
 * @param {() => number} place
 * @returns {Term}
 */
function readTerm(reader, flags, form, positions, section, place) {
  const names = flags & 2 ? readList(reader, positions, section, place()) : null;
  const spellings = new Map();
  if (flags & 16) {
    for (let left = reader.number(); left > 0; left--) {
      const spelling = reader.text();
      spellings.set(spelling, reader.steps());
    }
  }
  return { form, group: form, text: null, names, spellings };
}
