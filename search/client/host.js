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

/** How many lists may still get their snippets. */
const LISTS = 4;

/** What can be asked of the engine from outside; each answer is plain data. */
export function createHost() {
  /** @type {Awaited<ReturnType<typeof openEngine>> | null} */
  let engine = null;
  /** @type {Map<number, import("./engine.js").Hit[]>} */
  const lists = new Map();
  let number = 0;
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
      engine = null;
      const stores = places.map(({ base, scripts, guarded, ready }) =>
        scripts ? scriptStore(base) : fetchStore(base, { guarded, ready }),
      );
      engine = await openEngine(stores, { withdrawn: new Set(ids) });
    },
    /**
     * A list without snippets, and the number by which these are asked for.
     *
     * @param {Request} request
     */
    async search(request) {
      const answer = await opened().search({ ...request, snippets: false });
      lists.set(++number, answer.hits);
      lists.delete(number - LISTS);
      return { ...answer, list: number };
    },
    /**
     * The hits of a list with their snippets.
     *
     * @param {number} list
     */
    async snippets(list) {
      return opened().addSnippets(lists.get(list) ?? []);
    },
    /**
     * @param {Request} request
     * @param {number} from
     * @param {number} to
     */
    records: (request, from, to) => opened().records(request, from, to),
  };
}
