/**
 * Results as CSV after RFC 4180, with what spreadsheets would take for a formula disarmed.
 *
 * @module
 */

import { absolute, onOneLine, recordId } from "./plain.js";

/** @typedef {import("./plain.js").Hit} Hit */

const COLUMNS = [
  "id",
  "type",
  "kind",
  "title",
  "people",
  "more_people",
  "venue",
  "year",
  "pages",
  "doi",
  "status",
  "access",
  "url",
];
// Excel, LibreOffice and Google Sheets calculate a cell that begins so, full-width too.
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u;

/**
 * @param {Hit[]} hits
 * @param {{site: string}} origin
 * @returns {string} with the byte order mark by which spreadsheets know UTF-8
 */
export function toCsv(hits, { site }) {
  const rows = hits.map((hit) => [
    recordId(hit),
    hit.type,
    hit.kind,
    hit.title,
    hit.people.join("; "),
    hit.peopleCount > hit.people.length ? hit.peopleCount - hit.people.length : "",
    hit.venue,
    hit.year || "",
    hit.pages,
    hit.doi,
    hit.status,
    hit.access,
    absolute(hit, site),
  ]);
  return `\ufeff${[COLUMNS, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** @param {unknown} value */
function cell(value) {
  let text = onOneLine(value);
  if (typeof value !== "number" && FORMULA.test(text)) text = `'${text}`;
  return /[",;\s']/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
