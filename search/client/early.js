/**
 * A beginning before the page's script is there: on a slow line the engine is what takes
 * longest, so its own script, once it has come, opens the index and fetches what the query
 * in the address needs. The page's script goes on from there.
 *
 * @module
 */

import { MANIFEST } from "./manifest.js";

/**
 * @typedef {object} Early
 * @property {Worker} [worker] that has begun
 * @property {Promise<ArrayBuffer | null> | null} [manifest] of the public index
 */

const scope = /** @type {{nightpressEarly?: Early}} */ (globalThis);

/**
 * Begin, unless the page's script was here before.
 *
 * @param {HTMLOrSVGScriptElement | null} script this script's element
 */
export function begin(script) {
  const index = script?.dataset.early;
  const query = new URLSearchParams(location.search).get("q");
  if (!index || !query?.trim() || scope.nightpressEarly) return;
  if (location.protocol === "file:" || typeof Worker !== "function") return;
  /** @type {Worker} */
  let worker;
  try {
    worker = new Worker(/** @type {HTMLScriptElement} */ (script).src);
  } catch {
    return;
  }
  worker.onerror = (event) => {
    event.preventDefault();
    delete scope.nightpressEarly?.worker;
  };
  // Asked for as the page preloads it, so that it comes but once.
  const manifest = fetch(index + MANIFEST, { credentials: "same-origin" })
    .then((response) => (response.ok ? response.arrayBuffer() : null))
    .catch(() => null);
  scope.nightpressEarly = { worker, manifest };
  manifest.then((bytes) => {
    if (!bytes) return;
    const place = { base: index, ready: { [MANIFEST]: bytes } };
    const request = { query, prefix: true, limit: 10 };
    worker.postMessage({ number: 0, name: "begin", given: [place, request] });
  });
}

/**
 * The worker that has begun, if there is one; from now on it is too late to begin.
 *
 * @returns {Worker | null}
 */
export function takeWorker() {
  scope.nightpressEarly ??= {};
  const { worker } = scope.nightpressEarly;
  delete scope.nightpressEarly.worker;
  return worker ?? null;
}

/**
 * The manifest that was fetched, once.
 *
 * @returns {Promise<ArrayBuffer | null>}
 */
export async function takeManifest() {
  const manifest = scope.nightpressEarly?.manifest;
  if (scope.nightpressEarly) scope.nightpressEarly.manifest = null;
  return (await manifest) ?? null;
}
