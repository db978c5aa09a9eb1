/**
 * The engine as the page sees it: in a worker, or on this thread where there are no workers.
 *
 * @module
 */

import { takeWorker } from "./early.js";

/** What went wrong, in words for readers. */
export class SearchFailure extends Error {
  /** @param {{kind: string, message: string, status?: number, stack?: string}} facts */
  constructor({ kind, message, status = 0, stack }) {
    super(message);
    /** "unavailable", "damaged" or "mismatch"; empty for a fault of the program */
    this.kind = kind;
    this.status = status;
    if (stack) this.stack = stack;
  }
}

/** @typedef {(name: string, ...given: any[]) => Promise<any>} Call */

/**
 * Start the engine.
 *
 * @param {string} script address of its script
 * @param {boolean} mayWork whether the page may start a worker
 * @returns {Call}
 */
export function startEngine(script, mayWork) {
  let call = mayWork && typeof Worker === "function" ? inWorker(script) : null;
  /** @type {Promise<Call> | null} */
  let here = null;
  return async (name, ...given) => {
    if (call) {
      try {
        return await call(name, ...given);
      } catch (error) {
        if (error !== NO_WORKER) throw error;
        call = null;
      }
    }
    here ??= onThisThread(script).catch((error) => {
      here = null;
      throw error;
    });
    return (await here)(name, ...given);
  };
}

const NO_WORKER = new Error("no worker");

/**
 * @param {string} script
 * @returns {Call | null}
 */
function inWorker(script) {
  /** @type {Worker} */
  let worker;
  try {
    worker = takeWorker() ?? new Worker(script);
  } catch {
    return null;
  }
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: any) => void}>} */
  const waiting = new Map();
  let number = 0;
  let failed = false;
  worker.onmessage = ({ data }) => {
    const one = waiting.get(data.number);
    waiting.delete(data.number);
    if (data.error) one?.reject(new SearchFailure(data.error));
    else one?.resolve(data.value);
  };
  // The script did not load, or the browser forbids workers.
  worker.onerror = (event) => {
    event.preventDefault();
    failed = true;
    for (const { reject } of waiting.values()) reject(NO_WORKER);
    waiting.clear();
  };
  return (name, ...given) =>
    new Promise((resolve, reject) => {
      if (failed) {
        reject(NO_WORKER);
        return;
      }
      waiting.set(++number, { resolve, reject });
      worker.postMessage({ number, name, given });
    });
}

/**
 * @param {string} address
 * @returns {Promise<Call>}
 */
function onThisThread(address) {
  return new Promise((resolve, reject) => {
    const scope = /** @type {any} */ (globalThis);
    const ready = () =>
      resolve(async (name, ...given) => {
        try {
          return await scope.nightpressHost[name](...given);
        } catch (error) {
          const { kind } = /** @type {any} */ (error);
          throw kind ? new SearchFailure(/** @type {any} */ (error)) : error;
        }
      });
    if (scope.nightpressHost) {
      ready();
      return;
    }
    const script = document.createElement("script");
    script.src = address;
    script.onload = ready;
    script.onerror = () => {
      script.remove();
      const message = "The search cannot be loaded. Are you offline?";
      reject(new SearchFailure({ kind: "unavailable", message }));
    };
    document.head.append(script);
  });
}
