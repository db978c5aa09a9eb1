/**
 * One reader's search: opens the indexes, keeps the list of withdrawn records fresh, leaves
 * members' records out where they are refused, and reads a renewed index once.
 *
 * @module
 */

import { takeManifest } from "./early.js";
import { MANIFEST } from "./manifest.js";
import { SearchFailure } from "./remote.js";

/** @typedef {import("./engine.js").Request} Request */
/** @typedef {import("./engine.js").Response & {list: number}} Answer */
/** @typedef {import("./engine.js").Hit} Hit */
/** @typedef {import("./remote.js").Call} Call */

/**
 * @typedef {object} Places
 * @property {string} index folder of the public index, with a slash at its end
 * @property {string | null} members folder of the members' index, if the reader signed in
 * @property {string | null} withdrawn address of the list of withdrawn records
 * @property {boolean} scripts whether files come as scripts and not by fetch
 */

/** Milliseconds after which the list of withdrawn records is asked for again. */
const FRESH = 60_000;
/** … and after a failure. */
const RETRY = 5_000;
const PATIENCE = 4_000;

export const SIGN_IN_AGAIN = "Members’ records are left out: please sign in again.";
export const WITHOUT_MEMBERS = "Members’ records cannot be searched just now and are left out.";

export class Session {
  /**
   * @param {Places} places
   * @param {Call} call the engine
   * @param {{fetcher?: typeof fetch, onWithdrawn?: () => void, now?: () => number}} [options]
   */
  constructor(places, call, options = {}) {
    this.places = places;
    this.call = call;
    this.fetcher = options.fetcher ?? ((...given) => fetch(...given));
    this.onWithdrawn = options.onWithdrawn ?? (() => {});
    this.now = options.now ?? (() => Date.now());
    /** What readers should know of the list, or nothing. */
    this.notice = "";
    this.members = places.members;
    /** @type {Promise<void> | null} */
    this.opening = null;
    this.withdrawn = /** @type {string[]} */ ([]);
    this.askAgainAt = 0;
    this.wasRead = false;
    /** @type {Promise<boolean> | null} */
    this.reading = null;
  }

  /** Open the indexes, once; a failure is forgotten, so that the next call tries again. */
  open() {
    this.opening ??= this.openAll("default").catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  /**
   * @param {Request} request
   * @returns {Promise<Answer>}
   */
  search(request) {
    return this.ask("search", request);
  }

  /**
   * The hits of the list of this number, with the snippets that did not come with it.
   *
   * @param {number} list
   * @returns {Promise<Hit[]>}
   */
  snippets(list) {
    return this.call("snippets", list);
  }

  /**
   * The hits of a list from one position to another, for exports.
   *
   * @param {Request} request
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Hit[]>}
   */
  records(request, from, to) {
    return this.ask("records", request, from, to);
  }

  /**
   * @param {string} name
   * @param {...any} given
   */
  async ask(name, ...given) {
    // Both are under way at once; no list is handed on before it is known what was withdrawn.
    const known = this.knowWithdrawn();
    await this.open();
    const members = this.members;
    try {
      const answer = await this.call(name, ...given);
      return (await known) ? await this.call(name, ...given) : answer;
    } catch (error) {
      if (!(error instanceof SearchFailure)) throw error;
      if (error.kind === "mismatch") await this.reopen("reload");
      else if (members && error.status === 401) await this.leaveMembersOut(SIGN_IN_AGAIN);
      else throw error;
    }
    return this.call(name, ...given);
  }

  /** @param {RequestCache} cache */
  reopen(cache) {
    this.opening = this.openAll(cache).catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  /** @param {string} notice */
  leaveMembersOut(notice) {
    this.members = null;
    this.notice = notice;
    return this.reopen("default");
  }

  /** @param {RequestCache} cache */
  async openAll(cache) {
    const { index, scripts } = this.places;
    if (scripts) {
      const all = [index, this.members].filter((base) => base !== null);
      await this.call(
        "open",
        all.map((base) => ({ base, scripts })),
        [],
      );
      return;
    }
    // The page asks for what every search begins with while the worker still starts.
    const [first, members] = await Promise.all([
      this.manifest(index, cache),
      this.members ? this.manifest(this.members, cache) : null,
    ]);
    if (members && !members.bytes) {
      this.notice = members.status === 401 ? SIGN_IN_AGAIN : WITHOUT_MEMBERS;
      this.members = null;
    }
    const places = [
      { base: index, guarded: false, ready: first.bytes ? { [MANIFEST]: first.bytes } : {} },
    ];
    if (this.members && members?.bytes) {
      places.push({ base: this.members, guarded: true, ready: { [MANIFEST]: members.bytes } });
    }
    await this.call("open", places, this.withdrawn);
  }

  /**
   * @param {string} base
   * @param {RequestCache} cache
   * @returns {Promise<{bytes: ArrayBuffer | null, status: number}>}
   */
  async manifest(base, cache) {
    if (base === this.places.index && cache === "default") {
      const bytes = await takeManifest();
      if (bytes) return { bytes, status: 200 };
    }
    // Without options beside the usual ones, what the page preloads is used.
    const options = /** @type {RequestInit} */ ({ credentials: "same-origin" });
    if (base === this.places.members) options.redirect = "manual";
    if (cache !== "default") options.cache = cache;
    try {
      const response = await this.fetcher(base + MANIFEST, options);
      if (response.ok) return { bytes: await response.arrayBuffer(), status: response.status };
      const refused = [401, 403].includes(response.status) || response.type === "opaqueredirect";
      return { bytes: null, status: refused ? 401 : response.status };
    } catch {
      return { bytes: null, status: 0 };
    }
  }

  /**
   * Have the list of withdrawn records read: the first time before any list is shown, later
   * in the background, and the page shows anew if it changed.
   *
   * @returns {Promise<boolean>} whether records must leave a list that is on its way
   */
  async knowWithdrawn() {
    const { withdrawn, scripts } = this.places;
    if (!withdrawn || scripts) return false;
    const isFirst = !this.reading;
    if (this.now() >= this.askAgainAt) {
      this.askAgainAt = this.now() + RETRY;
      this.reading = this.readWithdrawn(withdrawn);
    }
    if (isFirst || !this.wasRead) return (await this.reading) === true;
    this.reading?.then((isNew) => isNew && this.onWithdrawn());
    return false;
  }

  /**
   * @param {string} address
   * @returns {Promise<boolean>} whether there are more of them than before
   */
  async readWithdrawn(address) {
    let ids;
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const response = await this.fetcher(address, { cache: "no-store", signal });
      ids = response.ok ? (await response.json())?.withdrawn : null;
    } catch {
      ids = null;
    }
    this.wasRead = true;
    // Search goes on with what is known; the next one asks again.
    if (!Array.isArray(ids)) return false;
    this.askAgainAt = this.now() + FRESH;
    const before = new Set(this.withdrawn);
    this.withdrawn = ids.filter((id) => typeof id === "string");
    const more = this.withdrawn.filter((id) => !before.has(id));
    if (!more.length) return false;
    await this.open();
    await this.call("withdraw", more);
    return true;
  }
}
