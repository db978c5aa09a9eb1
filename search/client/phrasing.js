/**
 * What the search page says, as plain values: nothing here touches the page.
 *
 * @module
 */

import { MOST_RESULTS, PAGE_SIZE } from "./address.js";

/** @typedef {import("./engine.js").Hit} Hit */
/** @typedef {import("./engine.js").Response} Answer */
/** @typedef {import("./address.js").State} State */

/** @type {Record<string, string>} */
const TYPES = {
  publication: "Publication",
  person: "Person",
  project: "Project",
  event: "Event",
  venue: "Venue",
  topic: "Topic",
  institution: "Institution",
};

/** @type {Record<string, string>} */
const ACCESS = {
  public: "Everyone",
  abstract: "Full text for members",
  members: "Members",
};

/** @type {Record<string, string>} */
export const FACET_TITLES = {
  type: "Record",
  kind: "Kind",
  venue: "Venue",
  topic: "Topic",
  institution: "Institution",
  access: "Access",
};

/** @type {Record<string, string>} where a word was found, as a reader would say it */
const FIELDS = {
  people: "authors",
  names: "other names",
  venue_short: "venue",
  venueShort: "venue",
  id: "identifier",
  doi: "DOI",
};

/** @param {number} n */
export function count(n) {
  return n.toLocaleString("en-GB");
}

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export function counted(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/**
 * What a value of a facet is called.
 *
 * @param {string} name
 * @param {string} value
 * @param {string} [label]
 */
export function valueLabel(name, value, label = "") {
  if (name === "type") return TYPES[value] ?? capital(label || value);
  if (name === "access") return ACCESS[value] ?? capital(label || value);
  return name === "kind" ? capital(label || value) : label || value;
}

/**
 * @param {[number | null, number | null]} years
 */
export function yearsLabel([first, last]) {
  if (first === null) return `until ${last}`;
  if (last === null) return `since ${first}`;
  return first === last ? String(first) : `${first}–${last}`;
}

/**
 * The heading of a list.
 *
 * @param {Answer} answer
 */
export function heading({ total, best }) {
  if (!total) return "No results";
  return best === null ? counted(total, "result") : `Best ${counted(total, "result")}`;
}

/**
 * What is read aloud once the list stands still.
 *
 * @param {Answer} answer
 * @param {number} page
 */
export function announcement(answer, page) {
  const { total, suggestion, words } = answer;
  const said = [heading(answer)];
  if (total > PAGE_SIZE) said.push(`page ${count(page)} of ${count(lastPage(total))}`);
  const corrected = words.filter((word) => word.corrected);
  for (const { word, corrected: other } of corrected) said.push(`“${other}” instead of “${word}”`);
  if (suggestion) said.push(`did you mean ${suggestion}?`);
  return `${said.join(", ")}${suggestion ? "" : "."}`;
}

/**
 * The last page that can be shown of so many results.
 *
 * @param {number} total
 */
export function lastPage(total) {
  return Math.max(1, Math.ceil(Math.min(total, MOST_RESULTS) / PAGE_SIZE));
}

/**
 * Links to other pages; the one without `page` is a gap.
 *
 * @param {number} page
 * @param {number} total
 * @returns {{text: string, page?: number, rel?: string, current?: boolean}[]}
 */
export function pageLinks(page, total) {
  const last = lastPage(total);
  if (last === 1) return [];
  const shown = new Set([1, page - 1, page, page + 1, last]);
  if (page < 3) shown.add(3);
  const links = [];
  if (page > 1) links.push({ text: "← previous", page: page - 1, rel: "prev" });
  let before = 0;
  for (const number of [...shown].sort((a, b) => a - b)) {
    if (number < 1 || number > last) continue;
    if (number > before + 1) links.push({ text: "…" });
    before = number;
    links.push({ text: span(number, total), page: number, current: number === page });
  }
  if (page < last) {
    const next = Math.min(PAGE_SIZE, total - page * PAGE_SIZE);
    links.push({ text: `next ${count(next)} →`, page: page + 1, rel: "next" });
  }
  return links;
}

/**
 * @param {number} page
 * @param {number} total
 */
function span(page, total) {
  const first = (page - 1) * PAGE_SIZE + 1;
  const last = Math.min(page * PAGE_SIZE, total);
  return first === last ? count(first) : `${count(first)}–${count(last)}`;
}

/**
 * Who made it, as lists show it.
 *
 * @param {Hit} hit
 */
export function byline({ people, peopleCount }) {
  const names = people.map(isolated).join(", ");
  const more = peopleCount - people.length;
  return more > 0 ? `${names} and ${count(more)} more` : names;
}

/**
 * Where it appeared; a record that is no publication says what it is.
 *
 * @param {Hit} hit
 */
export function whereabouts({ type, venue, venueShort, year, kind }) {
  if (type !== "publication") return "";
  const place = venueShort || venue;
  if (place) return year ? `${place}\u00a0${year}` : place; // a year alone on a line says nothing
  return [capital(kind), year || ""].filter(Boolean).join(", ");
}

/**
 * Year and kind, which stand in the label column of wide screens.
 *
 * @param {Hit} hit
 * @returns {string[]}
 */
export function label({ type, year, kind }) {
  const what = type === "publication" ? capital(kind) : (TYPES[type] ?? capital(type));
  return [year ? String(year) : "", what].filter(Boolean);
}

/**
 * The marks of a result: class and words.
 *
 * @param {Hit} hit
 * @returns {{cls: string, text: string}[]}
 */
export function marksOf({ status, access }) {
  const marks = [];
  if (status === "retracted") marks.push({ cls: "retracted", text: "† Retracted" });
  if (status === "corrected") marks.push({ cls: "corrected", text: "‡ Corrected" });
  if (status === "cancelled") marks.push({ cls: "cancelled", text: "† Cancelled" });
  if (access === "members" || access === "abstract") {
    marks.push({ cls: "members", text: "§ Members" });
  }
  return marks;
}

/**
 * Why a result is in the list; empty where there is nothing to explain.
 *
 * @param {Hit} hit
 * @param {Answer["words"]} words
 * @param {boolean} isWhole whether the abstract was looked through, too
 */
export function whyText({ why, exact, status }, words, isWhole) {
  const fields = [...new Set(why.map(({ field }) => FIELDS[field] ?? field.replace(/_/g, " ")))];
  const parts = [];
  if (exact) parts.push(fields.length ? `exactly its ${listed(fields)}` : "exactly this");
  else if (fields.length) parts.push(`found in ${listed(fields)}`);
  else if (words.length && isWhole) parts.push("found elsewhere in its record");
  if (!exact && fields.length) {
    const found = why.flatMap((one) => one.words);
    const missing = words.filter((word) => !stands(word, found));
    const absent = [...new Set(missing.map(({ word }) => `“${word}”`))];
    if (absent.length && absent.length < words.length) parts.push(`without ${listed(absent)}`);
  }
  if (status === "retracted") parts.push("ranked lower because retracted");
  return parts.join("; ");
}

/**
 * @param {string[]} names
 */
export function listed(names) {
  return names.length < 2
    ? (names[0] ?? "")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * Whether a word, or another form of it, is among those found. Forms are taken to share their
 * first letters: better to be silent about a word that is missing than to be wrong.
 *
 * @param {Answer["words"][number]} word
 * @param {string[]} found
 */
function stands({ word, corrected, forms = [] }, found) {
  const likes = [word, corrected ?? word, ...forms].map((form) => form.slice(0, 4));
  return found.some((other) => likes.some((like) => other.startsWith(like)));
}

/** @param {string} text */
function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

/**
 * A right-to-left name keeps its place among others.
 *
 * @param {string} name
 */
function isolated(name) {
  return /[\u0590-\u08ff\ufb1d-\ufefc]/u.test(name) ? `\u2068${name}\u2069` : name;
}
