/**
 * What the search page shows, as plain values: nothing here touches the page.
 *
 * @module
 */

import { indexWords } from "./words.js";

/** @typedef {import("./shards.js").Result} Result */

/**
 * @typedef {object} State What the address says.
 * @property {string} query
 * @property {number} page from 1
 */

/**
 * @typedef {object} Segment A part of a text.
 * @property {string} text
 * @property {boolean} marked whether it is one of the query's words
 */

export const PAGE_SIZE = 20;

const KINDS = new Map([
  ["person", "Person"],
  ["project", "Project"],
  ["event", "Event"],
  ["venue", "Venue"],
  ["topic", "Topic"],
  ["institution", "Institution"],
]);

/**
 * @param {string} address the part of an address from its question mark
 * @returns {State}
 */
export function readState(address) {
  const parameters = new URLSearchParams(address);
  const page = Number(parameters.get("page") ?? "1");
  return {
    query: parameters.get("q") ?? "",
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/**
 * @param {State} state
 * @returns {string} the part of an address from its question mark; empty for no query
 */
export function writeState({ query, page }) {
  const parameters = new URLSearchParams();
  if (query.trim()) parameters.set("q", query);
  if (query.trim() && page > 1) parameters.set("page", String(page));
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/**
 * Cut a text where words of a query stand in it.
 *
 * @param {string} text
 * @param {string[]} words folded
 * @param {string} prefix a folded word that may go on, or empty
 * @returns {Segment[]}
 */
export function markWords(text, words, prefix) {
  const wanted = new Set(words);
  /** @type {Segment[]} */
  const segments = [];
  for (const part of text.split(/([\p{L}\p{N}\p{M}]+)/u)) {
    if (!part) continue;
    const marked = indexWords(part).some(
      (word) => wanted.has(word) || (prefix !== "" && word.startsWith(prefix)),
    );
    const before = segments.at(-1);
    if (before && before.marked === marked) before.text += part;
    else segments.push({ text: part, marked });
  }
  return segments;
}

/**
 * Who made it, as lists show it.
 *
 * @param {Result} result
 */
export function byline({ people, peopleCount }) {
  const names = people.join(", ");
  return peopleCount > people.length ? `${names} and ${peopleCount - people.length} more` : names;
}

/**
 * Where and when it appeared, or what it is.
 *
 * @param {Result} result
 */
export function whereabouts({ type, venue, year, kind }) {
  const known = KINDS.get(type);
  if (known) return year ? `${known}, ${year}` : known;
  if (venue) return year ? `${venue} ${year}` : venue;
  const name = kind ? kind[0].toUpperCase() + kind.slice(1) : "";
  return [name, year || ""].filter(Boolean).join(", ");
}

/**
 * The marks of a result: class and words.
 *
 * @param {Result} result
 * @returns {{cls: string, text: string}[]}
 */
export function marksOf({ status, access }) {
  const marks = [];
  if (status === "retracted") marks.push({ cls: "retracted", text: "† Retracted" });
  if (status === "corrected") marks.push({ cls: "corrected", text: "‡ Corrected" });
  if (access === "members") marks.push({ cls: "members", text: "§ Members" });
  return marks;
}

/**
 * What the status line says.
 *
 * @param {State} state
 * @param {number} total
 */
export function describeTotal({ query, page }, total) {
  if (!query.trim()) return "";
  if (!total) return "Nothing found. Fewer or other words may find more.";
  const found = total === 1 ? "1 result" : `${total.toLocaleString("en-GB")} results`;
  if (total <= PAGE_SIZE) return found;
  const first = (page - 1) * PAGE_SIZE + 1;
  const last = Math.min(page * PAGE_SIZE, total);
  return `${found}, ${first} to ${last} shown`;
}

/**
 * The page that a total of results has, nearest to the one asked for.
 *
 * @param {number} page
 * @param {number} total
 */
export function clampPage(page, total) {
  return Math.max(1, Math.min(page, Math.ceil(total / PAGE_SIZE)));
}

/**
 * Links to other pages.
 *
 * @param {State} state
 * @param {number} total
 * @returns {{text: string, state: State, rel: string}[]}
 */
export function pageLinks({ query, page }, total) {
  const links = [];
  if (page > 1) {
    links.push({ text: "← previous", state: { query, page: page - 1 }, rel: "prev" });
  }
  if (page * PAGE_SIZE < total) {
    links.push({ text: "next →", state: { query, page: page + 1 }, rel: "next" });
  }
  return links;
}
