/**
 * The files of one index: fetched once, tried twice, refused when damaged.
 *
 * @module
 */

import { inflate, inflateAfter, jsonOf, unseal } from "./bytes.js";
import { EngineError } from "./errors.js";
import { PHRASES, ROWS } from "./phrases.js";

/**
 * One audience's index as files.
 *
 * @typedef {object} Store
 * @property {(path: string) => Promise<ArrayBuffer>} fetchBytes rejects with an EngineError
 * @property {(path: string, from: number, to: number) => Promise<ArrayBuffer>} [fetchRange]
 *   a part of a file; without it the whole file is fetched
 */

const FORMAT = 7;
const MOST_FILES = 5000;
/** What files of results may repeat. */
const USUAL = new TextEncoder().encode(PHRASES + ROWS);

export class Files {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {Map<string, Promise<unknown>>} */
    this.kept = new Map();
    this.names = "";
  }

  /** The manifest, always fetched anew. */
  async manifest() {
    const manifest = await this.twice(async () =>
      jsonOf(new Uint8Array(await this.store.fetchBytes("manifest.json"))),
    );
    if (manifest?.format !== FORMAT) throw new EngineError("mismatch");
    return manifest;
  }

  async open() {
    const manifest = await this.manifest();
    this.names = namesOf(manifest);
    return manifest;
  }

  /**
   * What `decode` makes of a sealed file of a segment.
   *
   * @template T
   * @param {string} segment
   * @param {string} path
   * @param {(bytes: Uint8Array) => T} decode
   * @returns {Promise<T>}
   */
  read(segment, path, decode) {
    return this.keep(`${segment}/${path}`, async (whole) => {
      const bytes = unseal(path, await this.store.fetchBytes(whole));
      return decode(await (path.startsWith("d/") ? inflateAfter(USUAL, bytes) : inflate(bytes)));
    });
  }

  /**
   * What `decode` makes of a part of a file that is not sealed.
   *
   * @template T
   * @param {string} path
   * @param {number} from
   * @param {number} to
   * @param {(bytes: Uint8Array) => T | Promise<T>} decode
   * @returns {Promise<T>}
   */
  readPart(path, from, to, decode) {
    return this.keep(`${path}#${from}`, async () => {
      const { fetchRange } = this.store;
      const part = fetchRange
        ? new Uint8Array(await fetchRange.call(this.store, path, from, to))
        : (await this.whole(path)).subarray(from, to);
      return decode(part);
    });
  }

  /** @param {string} path */
  whole(path) {
    return this.keep(path, async () => new Uint8Array(await this.store.fetchBytes(path)));
  }

  /**
   * @template T
   * @param {string} path
   * @param {(path: string) => Promise<T>} load
   * @returns {Promise<T>}
   */
  keep(path, load) {
    let found = /** @type {Promise<T> | undefined} */ (this.kept.get(path));
    if (found) {
      this.kept.delete(path);
    } else {
      found = this.twice(() => load(path)).catch((error) => this.explain(error));
      found.catch(() => this.kept.delete(path));
      if (this.kept.size >= MOST_FILES) {
        for (const oldest of this.kept.keys()) {
          this.kept.delete(oldest);
          break;
        }
      }
    }
    this.kept.set(path, found);
    return found;
  }

  /**
   * @template T
   * @param {() => Promise<T>} load
   * @returns {Promise<T>}
   */
  async twice(load) {
    try {
      return await load();
    } catch (error) {
      if (error instanceof EngineError && error.kind === "mismatch") throw error;
      return load();
    }
  }

  /**
   * A file that is not there or not right may be that of a release that is no longer live.
   *
   * @param {unknown} error
   * @returns {Promise<never>}
   */
  async explain(error) {
    const manifest = await this.manifest().catch(() => null);
    if (manifest && namesOf(manifest) !== this.names) throw new EngineError("mismatch");
    throw error instanceof EngineError ? error : new EngineError("damaged");
  }
}

/** @param {{segments: {name: string, patches: [string, unknown][]}[]}} manifest */
function namesOf({ segments }) {
  return segments
    .flatMap(({ name, patches }) => [name, ...patches.map(([patch]) => patch)])
    .join(" ");
}
