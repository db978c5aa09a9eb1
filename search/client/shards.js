/**
 * Read the static index: the manifest, and the few files that a query needs.
 *
 * @module
 */

import { decodeNumbers, decodePostings } from "./postings.js";

const FORMAT = 1;
const NAME_LENGTH = 8;
const CHUNK_BITS = 8;
const NAMES_BITS = 6;

/**
 * @typedef {object} Result What a list shows of a document.
 * @property {string} id
 * @property {string} type
 * @property {string} url
 * @property {string} title
 * @property {string[]} people the first ten
 * @property {number} peopleCount
 * @property {string} venue
 * @property {number} year 0 for none
 * @property {string} kind
 * @property {string} status
 * @property {string} access
 */

/**
 * @typedef {object} Term A word that occurs, and where.
 * @property {string} form
 * @property {string[]} cells as in the file
 */

/** The index cannot be read; the message is for readers. */
export class IndexUnavailable extends Error {}

export class ShardIndex {
  /**
   * @param {string} base address of the folder, with a slash at its end
   * @param {(address: string, options?: RequestInit) => Promise<Response>} [fetcher]
   */
  constructor(base, fetcher = (address, options) => fetch(address, options)) {
    this.base = base;
    this.fetcher = fetcher;
    /** @type {Map<string, Promise<string>>} */
    this.files = new Map();
    /** @type {Promise<Manifest> | null} */
    this.opening = null;
  }

  /**
   * Load the manifest, once.
   *
   * @returns {Promise<Manifest>}
   */
  open() {
    this.opening ??= this.readManifest().catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  /** How many documents there are. */
  async countDocuments() {
    return (await this.open()).documents;
  }

  /**
   * The terms from `first` up to all that begin with `prefix`, at most `files` files.
   *
   * @param {string} first
   * @param {string} prefix empty for the term itself only
   * @param {number} [files]
   * @returns {Promise<Term[]>}
   */
  async terms(first, prefix = "", files = 3) {
    const manifest = await this.open();
    if (!manifest.firsts.length) return [];
    let at = lastNotAfter(manifest.firsts, first);
    if (at < 0) {
      if (!prefix) return [];
      at = 0;
    }
    const wanted = [at];
    while (
      prefix &&
      wanted.length < files &&
      at + 1 < manifest.firsts.length &&
      manifest.firsts[at + 1].startsWith(prefix)
    ) {
      wanted.push(++at);
    }
    const texts = await Promise.all(
      wanted.map((i) => this.read(`terms/${nameAt(manifest.terms, i)}.txt`)),
    );
    /** @type {Term[]} */
    const terms = [];
    for (const line of texts.join("").split("\n")) {
      const [form, ...cells] = line.split("\t");
      if (form && (prefix ? form.startsWith(prefix) : form === first)) {
        terms.push({ form, cells });
      }
    }
    return terms;
  }

  /**
   * Where a term occurs: document number → impact, from its words and from names.
   *
   * @param {Term} term
   * @returns {Promise<Map<number, number>>}
   */
  async postings(term) {
    const lists = await Promise.all(term.cells.map((cell) => this.postingsOfCell(cell)));
    const [first, ...others] = lists;
    const merged = others.length ? new Map(first) : first;
    for (const list of others) {
      for (const [document, impact] of list) {
        merged.set(document, Math.min(31, (merged.get(document) ?? 0) + impact));
      }
    }
    return merged ?? new Map();
  }

  /**
   * The documents that a hashed title, id or DOI names.
   *
   * @param {string} hash
   * @returns {Promise<number[]>}
   */
  async documentsWithKey(hash) {
    const { keys } = await this.open();
    const bits = Math.round(Math.log2(keys.length / NAME_LENGTH));
    const shard = Math.floor(parseInt(hash, 16) / 2 ** (32 - bits));
    const text = await this.read(`keys/${nameAt(keys, shard)}.txt`);
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${hash}\t`));
    return line ? decodeNumbers(line.slice(hash.length + 1)) : [];
  }

  /**
   * What to show of a document.
   *
   * @param {number} number
   * @returns {Promise<Result>}
   */
  async result(number) {
    const { names } = await this.open();
    const chunk = number >>> CHUNK_BITS;
    const list = await this.read(`names/${nameAt(names, chunk >>> NAMES_BITS)}.txt`);
    const name = nameAt(list, chunk % 2 ** NAMES_BITS);
    const rows = parse(await this.read(`results/${name}.json`));
    const row = Array.isArray(rows) ? rows.find((candidate) => candidate[0] === number) : null;
    if (!row) throw damaged();
    const [, id, type, url, title, people, peopleCount, venue, year, kind, status, access] = row;
    return { id, type, url, title, people, peopleCount, venue, year, kind, status, access };
  }

  /** @param {string} cell */
  async postingsOfCell(cell) {
    if (cell.startsWith("@")) {
      const [term] = await this.terms(cell.slice(1));
      if (!term) throw damaged();
      return this.postingsOfList(term.cells[0]);
    }
    return this.postingsOfList(cell);
  }

  /** @param {string} list */
  async postingsOfList(list) {
    const text = list.startsWith("#") ? await this.read(`lists/${list.slice(1)}.txt`) : list;
    try {
      return decodePostings(text);
    } catch {
      throw damaged();
    }
  }

  /** @returns {Promise<Manifest>} */
  async readManifest() {
    const manifest = parse(await this.load("manifest.json", { cache: "no-cache" }));
    if (manifest?.format !== FORMAT) {
      throw new IndexUnavailable("The search index is of another version. Please reload the page.");
    }
    return manifest;
  }

  /** @param {string} path */
  read(path) {
    let text = this.files.get(path);
    if (!text) {
      text = this.load(path);
      this.files.set(path, text);
      text.catch(() => this.files.delete(path));
    }
    return text;
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  async load(path, options) {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.fetcher(this.base + path, options);
        if (response.ok) return await response.text();
        if (response.status === 404 && path === "manifest.json") {
          throw new IndexUnavailable("This site has no search index.");
        }
        if (response.status === 404) {
          throw new IndexUnavailable("The search index has changed. Please reload the page.");
        }
        if (attempt > 1) throw new IndexUnavailable("The search index cannot be read just now.");
      } catch (error) {
        if (error instanceof IndexUnavailable) throw error;
        if (attempt > 1) {
          throw new IndexUnavailable("The search index cannot be reached. Are you offline?");
        }
      }
    }
  }
}

/**
 * @typedef {object} Manifest
 * @property {number} format
 * @property {number} documents
 * @property {string[]} firsts first term of each file of terms
 * @property {string} terms names of these files
 * @property {string} keys names of the files of keys
 * @property {string} names names of the lists of names of results
 */

/**
 * @param {string} names
 * @param {number} i
 */
function nameAt(names, i) {
  return names.slice(i * NAME_LENGTH, (i + 1) * NAME_LENGTH);
}

/**
 * The position of the last of sorted texts that does not come after `text`; -1 for none.
 *
 * @param {string[]} sorted
 * @param {string} text
 */
function lastNotAfter(sorted, text) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= text) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged();
  }
}

function damaged() {
  return new IndexUnavailable("The search index is damaged. Please reload the page.");
}
