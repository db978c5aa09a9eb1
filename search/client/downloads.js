/**
 * The buttons that make files of the list, and the script behind them.
 *
 * @module
 */

import { element } from "./element.js";
import { SearchFailure } from "./remote.js";

/** @typedef {typeof import("./saving.js").saveList} Save */

/** @type {[string, string][]} title of a format, ending of its files */
const FORMATS = [
  ["CSV", "csv"],
  ["BibTeX", "bib"],
  ["RIS", "ris"],
  ["JSON", "json"],
];

/**
 * One button for each format.
 *
 * @param {(ending: string) => void} save
 */
export function buttons(save) {
  return FORMATS.map(([title, ending]) => {
    const button = element("button", { type: "button", "data-key": `as:${ending}` }, title);
    button.addEventListener("click", () => save(ending));
    return element("li", null, button);
  });
}

/** @type {Promise<Save> | null} */
let loading = null;

/**
 * Load what makes files, once.
 *
 * @param {string} address of the script
 * @returns {Promise<Save>}
 */
export function loadSaving(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(/** @type {any} */ (globalThis).nightpressSave);
    script.onerror = () => {
      loading = null;
      script.remove();
      const message = "Its script cannot be loaded. Are you offline?";
      reject(new SearchFailure({ kind: "unavailable", message }));
    };
    document.head.append(script);
  });
  return loading;
}
