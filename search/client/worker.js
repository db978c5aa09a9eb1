/**
 * The engine's side of a worker. The same script, loaded by a page that may not start
 * workers, leaves the engine there as `nightpressHost`.
 *
 * @module
 */

import { begin } from "./early.js";
import { createHost } from "./host.js";

const host = /** @type {Record<string, (...given: any[]) => unknown>} */ (createHost());
const scope = /** @type {any} */ (globalThis);

if (typeof scope.document === "undefined") {
  scope.onmessage = async (/** @type {MessageEvent} */ { data }) => {
    const { number, name, given } = data;
    try {
      scope.postMessage({ number, value: await host[name](...given) });
    } catch (error) {
      scope.postMessage({ number, error: describe(error) });
    }
  };
} else {
  // Loaded twice, the engine that is in use stays.
  scope.nightpressHost ??= host;
  begin(document.currentScript);
}

/** @param {any} error */
function describe(error) {
  const { kind = "", message = String(error), status = 0, stack = "" } = error ?? {};
  return { kind, message, status, stack: kind ? "" : stack };
}
