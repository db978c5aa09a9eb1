/**
 * The formats in which a list of results leaves the page.
 *
 * @module
 */

import { toBibtex } from "./bibtex.js";
import { toCsv } from "./csv.js";
import { toJson } from "./json.js";
import { toRis } from "./ris.js";

/** @typedef {import("./plain.js").Hit} Hit */

/**
 * @typedef {object} Origin Where a list comes from.
 * @property {string} address of the list, absolute
 * @property {string} site address of the site without a slash at its end
 * @property {string} name of the site
 * @property {string} query
 * @property {number} total how many results the list has
 */

/**
 * @typedef {object} Format
 * @property {string} title
 * @property {string} ending of the file's name
 * @property {string} type
 * @property {boolean} worksOnly whether people, projects and events are left out
 * @property {(hits: Hit[], origin: Origin) => string} write
 */

/** @type {Format[]} */
export const FORMATS = [
  { title: "CSV", ending: "csv", type: "text/csv", worksOnly: false, write: toCsv },
  {
    title: "BibTeX",
    ending: "bib",
    type: "application/x-bibtex",
    worksOnly: true,
    write: toBibtex,
  },
  {
    title: "RIS",
    ending: "ris",
    type: "application/x-research-info-systems",
    worksOnly: true,
    write: toRis,
  },
  { title: "JSON", ending: "json", type: "application/json", worksOnly: false, write: toJson },
];

/**
 * A name for the file, from the words of the query.
 *
 * @param {string} query
 * @param {string} ending
 */
export function fileName(query, ending) {
  const words = query
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase()
    .slice(0, 60)
    .replace(/-+$/, "");
  return `${words || "search"}.${ending}`;
}
