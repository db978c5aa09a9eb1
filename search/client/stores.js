/**
 * Where the files of an index come from: the server, or script tags where pages may not fetch.
 *
 * @module
 */

import { EngineError } from "./engine.js";
import { MANIFEST } from "./manifest.js";

/** @typedef {import("./engine.js").Store} Store */

/** Milliseconds after which a file that does not arrive is given up. */
const PATIENCE = 20_000;

/**
 * What was asked for before. The engine keeps what it could use, so what it asks for again
 * was missing or damaged, and a copy that the browser keeps of that is no help.
 *
 * @type {Set<string>}
 */
const asked = new Set();

/**
 * Files of a folder on the site's own server.
 *
 * @param {string} base address of the folder, with a slash at its end
 * @param {object} [options]
 * @param {boolean} [options.guarded] whether the server may answer by a way to sign in
 * @param {Record<string, ArrayBuffer>} [options.ready] files that are here already, each used once
 * @param {typeof fetch} [options.fetcher]
 * @returns {Store}
 */
export function fetchStore(base, { guarded = false, ready = {}, fetcher } = {}) {
  const given = new Map(Object.entries(ready));
  const get = fetcher ?? ((...request) => fetch(...request));
  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  const load = async (path, options) => {
    const key = `${base + path} ${JSON.stringify(options?.headers ?? "")}`;
    let response;
    try {
      response = await get(base + path, {
        cache: asked.has(key) ? "reload" : "default",
        credentials: "same-origin",
        redirect: guarded ? "manual" : "follow",
        signal: AbortSignal.timeout(PATIENCE),
        ...options,
      });
      asked.add(key);
      if (response.ok) return { status: response.status, bytes: await response.arrayBuffer() };
    } catch {
      throw failed("unavailable", "The search index cannot be reached. Are you offline?");
    }
    throw refused(response, path);
  };
  return {
    async fetchBytes(path) {
      const here = given.get(path);
      given.delete(path);
      const options = path === MANIFEST ? /** @type {RequestInit} */ ({ cache: "no-cache" }) : {};
      return here ?? (await load(path, options)).bytes;
    },
    async fetchRange(path, from, to) {
      const { status, bytes } = await load(path, { headers: { Range: `bytes=${from}-${to - 1}` } });
      // A server that knows no ranges sends all of the file.
      const part = status === 206 ? bytes : bytes.slice(from, to);
      if (part.byteLength !== to - from) {
        throw failed("unavailable", "The search index arrived in part only.");
      }
      return part;
    },
  };
}

/**
 * Files that scripts bring, each as `nightpressFile(name, base64)`: for pages opened from a
 * folder, which may load scripts and nothing else.
 *
 * @param {string} base address of the folder, with a slash at its end
 * @param {Document} [page]
 * @returns {Store}
 */
export function scriptStore(base, page = document) {
  const waiting = receivers(globalThis);
  return {
    fetchBytes(path) {
      const key = base + path;
      return new Promise((resolve, reject) => {
        const script = page.createElement("script");
        const settle = () => {
          waiting.delete(key);
          script.remove();
        };
        waiting.set(key, (bytes) => {
          settle();
          resolve(bytes);
        });
        script.onload = script.onerror = () => {
          if (!waiting.has(key)) return;
          settle();
          reject(failed("unavailable", "A file of the search index is missing."));
        };
        script.src = `${key}.js`;
        script.dataset.file = key;
        page.head.append(script);
      });
    },
  };
}

/**
 * @param {typeof globalThis & {nightpressFile?: (base64: string) => void,
 *   nightpressFiles?: Map<string, (bytes: ArrayBuffer) => void>}} scope
 */
function receivers(scope) {
  if (!scope.nightpressFiles) {
    const waiting = /** @type {Map<string, (bytes: ArrayBuffer) => void>} */ (new Map());
    scope.nightpressFiles = waiting;
    scope.nightpressFile = (base64) => {
      const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
      const text = atob(base64);
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
      waiting.get(script?.dataset.file ?? "")?.(bytes.buffer);
    };
  }
  return scope.nightpressFiles;
}

/**
 * @param {Response} response
 * @param {string} path
 */
function refused({ status, type }, path) {
  if (status === 401 || status === 403 || type === "opaqueredirect") {
    return failed("unavailable", "You are not signed in.", 401);
  }
  if (status === 404 || status === 410) {
    if (path === MANIFEST) return failed("unavailable", "This site has no search index.", status);
    // The engine finds out whether that is because the index was renewed.
    return failed("unavailable", "A file of the search index is missing.", status);
  }
  return failed("unavailable", "The search index cannot be read just now.", status);
}

/**
 * @param {"unavailable"} kind
 * @param {string} message
 * @param {number} [status]
 */
function failed(kind, message, status = 0) {
  return Object.assign(new EngineError(kind, message), { status });
}
