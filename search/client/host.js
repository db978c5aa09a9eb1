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
/** Milliseconds that a list waits for its snippets. */
const AT_HAND = 8;

/** What can be asked of the engine from outside; each answer is plain data. */
export function createHost() {
  /** @type {Awaited<ReturnType<typeof openEngine>> | null} */
  let engine = null;
  /** @type {{base: string, opened: ReturnType<typeof openEngine>} | null} */
  let early = null;
  const withdrawn = /** @type {Set<string>} */ (new Set());
  /** @type {Map<number, Promise<import("./engine.js").Hit[]>>} */
  const lists = new Map();
  let number = 0;
  const opened = () => {
    if (!engine) throw new Error("The engine is not open.");
    return engine;
  };
  return {
    /**
     * Open an index and fetch what a request needs, for whoever opens it later.
     *
     * @param {Place} place
     * @param {Request} request
     */
    async begin({ base, ready }, request) {
      if (engine || early) return;
      const begun = openEngine([fetchStore(base, { ready })], { withdrawn });
      begun.catch(() => {});
      early = { base, opened: begun };
      await (await begun).search({ ...request, snippets: false });
    },
    /**
     * @param {Place[]} places the public index first
     * @param {string[]} ids of records that must not show
     */
    async open(places, ids) {
      engine = null;
      const stores = places.map(({ base, scripts, guarded, ready }) =>
        scripts ? scriptStore(base) : fetchStore(base, { guarded, ready }),
      );
      withdrawn.clear();
      for (const id of ids) withdrawn.add(id);
      const begun = places.length === 1 && early?.base === places[0].base ? early.opened : null;
      early = null;
      const was = await begun?.catch(() => null);
      if (was) was.burying = null;
      engine = was ?? (await openEngine(stores, { withdrawn }));
    },
    /**
     * Leave these records out from now on.
     *
     * @param {string[]} ids
     */
    withdraw(ids) {
      for (const id of ids) withdrawn.add(id);
      opened().burying = null;
    },
    /**
     * A list. Its snippets come with it if they are at hand; if not, `list` is the number by
     * which they are asked for.
     *
     * @param {Request} request
     */
    async search(request) {
      const answer = await opened().search({ ...request, snippets: false });
      const snippets = opened().addSnippets(answer.hits);
      const isDone = await Promise.race([
        snippets.then(
          () => true,
          () => false,
        ),
        pause(AT_HAND),
      ]);
      if (isDone) return { ...answer, list: 0 };
      lists.set(++number, snippets);
      lists.delete(number - LISTS);
      return { ...answer, list: number };
    },
    /**
     * The hits of a list with their snippets.
     *
     * @param {number} list
     */
    snippets: (list) => lists.get(list) ?? [],
    /**
     * @param {Request} request
     * @param {number} from
     * @param {number} to
     */
    records: (request, from, to) => opened().records(request, from, to),
  };
}

/**
 * @param {number} milliseconds
 * @returns {Promise<false>}
 */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));
}
