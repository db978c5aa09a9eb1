/**
 * The engine with its indexes, for whoever asks: the worker's page, or the page itself.
 *
 * @module
 */

import { openEngine } from "./engine.js";
import { fetchStore, scriptStore } from "./stores.js";

/**
 * @typedef {object} Place Where an index lies.
 * @property {string} base address of its folder, with a slash at its end
 * @property {boolean} [scripts] whether its files come as scripts
 * @property {boolean} [guarded] whether the server may ask readers to sign in first
 * @property {Record<string, ArrayBuffer>} [ready] files that were fetched already
 */

/** @typedef {import("./engine.js").Request} Request */

/** What can be asked of the engine from outside; each answer is plain data. */
export function createHost() {
  /** @type {Awaited<ReturnType<typeof openEngine>> | null} */
  let engine = null;
  const withdrawn = /** @type {Set<string>} */ (new Set());
  const opened = () => {
    if (!engine) throw new Error("The engine is not open.");
    return engine;
  };
  return {
    /**
     * @param {Place[]} places the public index first
     * @param {string[]} ids of records that must not show
     */
    async open(places, ids) {
      this.withdraw(ids);
      engine = null;
      const stores = places.map(({ base, scripts, guarded, ready }) =>
        scripts ? scriptStore(base) : fetchStore(base, { guarded, ready }),
      );
      engine = await openEngine(stores, { withdrawn });
    },
    /** @param {string[]} ids */
    withdraw(ids) {
      withdrawn.clear();
      for (const id of ids) withdrawn.add(id);
    },
    /** @param {Request} request */
    search: (request) => opened().search(request),
    /**
     * @param {Request} request
     * @param {number} from
     * @param {number} to
     */
    records: (request, from, to) => opened().records(request, from, to),
  };
}
