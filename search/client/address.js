/**
 * The address holds the whole state of the search page; nothing else is remembered.
 *
 * @module
 */

/** @typedef {"relevance" | "newest" | "oldest"} Sort */

/**
 * @typedef {object} State What the address says.
 * @property {string} query
 * @property {Record<string, string[]>} filters values chosen of each facet, never empty lists
 * @property {[number | null, number | null] | null} years first and last, both inclusive
 * @property {Sort} sort
 * @property {number} page from 1
 */

/** The facets that are lists, in the order in which they are shown. */
export const FACETS = ["type", "kind", "venue", "topic", "institution", "access"];
export const SORTS = /** @type {Sort[]} */ (["relevance", "newest", "oldest"]);
export const PAGE_SIZE = 10;
/** The engine orders no more results than these. */
export const MOST_RESULTS = 1000;

const LONGEST_QUERY = 10_000;
const LONGEST_VALUE = 500;
const MOST_VALUES = 50;

/** @returns {State} */
export function emptyState() {
  return { query: "", filters: {}, years: null, sort: "relevance", page: 1 };
}

/**
 * @param {string} address the part of an address from its question mark
 * @returns {State}
 */
export function readState(address) {
  const parameters = new URLSearchParams(address);
  const state = emptyState();
  state.query = (parameters.get("q") ?? "").slice(0, LONGEST_QUERY);
  for (const name of FACETS) {
    const values = parameters
      .getAll(name)
      .filter((value) => value && value.length <= LONGEST_VALUE);
    if (values.length) state.filters[name] = [...new Set(values)].slice(0, MOST_VALUES);
  }
  state.years = readYears(parameters.get("year") ?? "");
  const sort = /** @type {Sort} */ (parameters.get("sort"));
  if (SORTS.includes(sort)) state.sort = sort;
  const page = Number(parameters.get("page") ?? "1");
  if (Number.isInteger(page) && page > 0) {
    state.page = Math.min(page, MOST_RESULTS / PAGE_SIZE);
  }
  return state;
}

/**
 * @param {State} state
 * @returns {string} the part of an address from its question mark; empty for no question
 */
export function writeState(state) {
  const parameters = new URLSearchParams();
  if (state.query.trim()) parameters.set("q", state.query);
  for (const name of FACETS) {
    for (const value of state.filters[name] ?? []) parameters.append(name, value);
  }
  if (state.years) parameters.set("year", writeYears(state.years));
  if (state.sort !== "relevance") parameters.set("sort", state.sort);
  if (state.page > 1) parameters.set("page", String(state.page));
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/**
 * Whether there is anything to list: words, a filter, or an order that was asked for.
 *
 * @param {State} state
 */
export function asksSomething(state) {
  return Boolean(state.query.trim()) || hasFilters(state) || state.sort !== "relevance";
}

/** @param {State} state */
export function hasFilters(state) {
  return state.years !== null || Object.keys(state.filters).length > 0;
}

/**
 * The state with a value of a facet added, or taken away if it was chosen.
 *
 * @param {State} state
 * @param {string} name
 * @param {string} value
 * @returns {State}
 */
export function toggled(state, name, value) {
  const chosen = state.filters[name] ?? [];
  const values = chosen.includes(value)
    ? chosen.filter((other) => other !== value)
    : [...chosen, value];
  const { [name]: _, ...filters } = state.filters;
  if (values.length) filters[name] = values;
  return { ...state, filters, page: 1 };
}

/**
 * The state with other years; the earlier comes first whichever way they are given.
 *
 * @param {State} state
 * @param {number | null} first
 * @param {number | null} last
 * @returns {State}
 */
export function withYears(state, first, last) {
  /** @type {State["years"]} */
  let years = [first, last];
  if (first !== null && last !== null && first > last) years = [last, first];
  if (first === null && last === null) years = null;
  return { ...state, years, page: 1 };
}

/**
 * A year as a person types it, or null.
 *
 * @param {string} text
 */
export function readYear(text) {
  const found = /^\s*(\d{1,4})\s*$/.exec(text);
  return found ? Number(found[1]) : null;
}

/**
 * What to ask the engine for.
 *
 * @param {State} state
 * @param {{prefix?: boolean, complete?: boolean, facets?: string[]}} [options]
 */
export function toRequest(state, { prefix = false, complete = false, facets = [] } = {}) {
  const filters = /** @type {Record<string, unknown>} */ ({ ...state.filters });
  if (state.years) filters.year = state.years;
  // Without words nothing is more relevant than anything else.
  const sort = state.sort === "relevance" && !state.query.trim() ? "newest" : state.sort;
  const offset = (state.page - 1) * PAGE_SIZE;
  return {
    query: state.query,
    filters,
    sort,
    offset,
    limit: PAGE_SIZE,
    prefix,
    complete,
    facets,
  };
}

/**
 * `2019`, `2019..2023`, `2019..` or `..2023`, as in a query.
 *
 * @param {string} text
 * @returns {State["years"]}
 */
function readYears(text) {
  const found = /^(\d{1,4})?(\.\.)?(\d{1,4})?$/.exec(text);
  if (!found || (!found[1] && !found[3])) return null;
  const first = found[1] === undefined ? null : Number(found[1]);
  if (!found[2]) return found[3] === undefined ? [first, first] : null;
  const last = found[3] === undefined ? null : Number(found[3]);
  return first !== null && last !== null && first > last ? [last, first] : [first, last];
}

/** @param {[number | null, number | null]} years */
function writeYears([first, last]) {
  return first === last ? String(first) : `${first ?? ""}..${last ?? ""}`;
}
