/**
 * The search page: from the field to the list, and the address between them.
 *
 * @module
 */

import { parseQuery, search } from "./search.js";
import { IndexUnavailable, ShardIndex } from "./shards.js";
import {
  byline,
  clampPage,
  describeTotal,
  markWords,
  marksOf,
  PAGE_SIZE,
  pageLinks,
  readState,
  whereabouts,
  writeState,
} from "./view.js";

/** @typedef {import("./shards.js").Result} Result */
/** @typedef {import("./view.js").State} State */

const PAUSE = 150;
// Says only that someone signed in, so that members' records are asked for at all; the
// server decides who gets them.
const SIGNED_IN = /(?:^|;\s*)nightpress-members=1(?:;|$)/;

const field = /** @type {HTMLInputElement | null} */ (document.getElementById("q"));
const list = document.getElementById("search-results");
const status = document.getElementById("search-status");
const more = document.getElementById("search-more");
if (field?.form && list && status && more) start(field, field.form, list, status, more);

/**
 * @param {HTMLInputElement} field
 * @param {HTMLFormElement} form
 * @param {HTMLElement} list
 * @param {HTMLElement} status
 * @param {HTMLElement} more
 */
function start(field, form, list, status, more) {
  const script = /** @type {HTMLElement | null} */ (document.querySelector("script[data-index]"));
  const base = script?.dataset.index ?? "/search-index/";
  const publicIndex = new ShardIndex(base);
  const membersIndex = SIGNED_IN.test(document.cookie)
    ? new ShardIndex(script?.dataset.membersIndex ?? "/members/search-index/")
    : null;
  let latest = 0;
  let timer = 0;
  let isTyping = false;

  const show = () => answer(readState(location.search));

  /** @param {State} state */
  async function answer(state) {
    const turn = ++latest;
    form.classList.toggle("busy", true);
    try {
      const indexes = await openIndexes(publicIndex, membersIndex);
      const found = await search(indexes, state.query);
      const page = clampPage(state.page, found.total);
      const results = await found.results((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
      if (turn !== latest) return;
      const { words, prefix } = parseQuery(state.query);
      list.replaceChildren(...results.map((result) => renderResult(result, words, prefix)));
      list.setAttribute("start", String((page - 1) * PAGE_SIZE + 1));
      more.replaceChildren(...renderLinks({ ...state, page }, found.total));
      say(describeTotal({ ...state, page }, found.total));
    } catch (error) {
      if (turn !== latest) return;
      list.replaceChildren();
      more.replaceChildren();
      const reason = error instanceof IndexUnavailable ? error.message : "The search went wrong.";
      say(`${reason} The lists below lead to everything, too.`);
      if (!(error instanceof IndexUnavailable)) throw error;
    } finally {
      if (turn === latest) form.classList.toggle("busy", false);
    }
  }

  /** @param {string} words */
  function say(words) {
    if (status.textContent !== words) status.textContent = words;
  }

  /** @param {State} state */
  function go(state) {
    const address = writeState(state) || location.pathname;
    if (writeState(readState(location.search)) === writeState(state)) return;
    if (isTyping) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      go({ query: field.value, page: 1 });
      isTyping = true;
      show();
    }, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    go({ query: field.value, page: 1 });
    isTyping = false;
    show();
  });
  more.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    isTyping = false;
    go(readState(new URL(link.href).search));
    show().then(() => list.querySelector("a")?.focus());
  });
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    isTyping = false;
    field.value = readState(location.search).query;
    show();
  });
  document.addEventListener("keydown", (event) => moveByKey(event, field, list));

  const { query } = readState(location.search);
  if (query || !field.value) field.value = query;
  if (query) show();
}

/**
 * Members see both indexes as one; if theirs cannot be had, the public one stays.
 *
 * @param {ShardIndex} publicIndex
 * @param {ShardIndex | null} membersIndex
 */
async function openIndexes(publicIndex, membersIndex) {
  const [, members] = await Promise.all([
    publicIndex.open(),
    membersIndex?.open().catch(() => null),
  ]);
  return members && membersIndex ? [publicIndex, membersIndex] : [publicIndex];
}

/**
 * `/` goes to the field, arrows go through field and results, Escape goes back.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLInputElement} field
 * @param {HTMLElement} list
 */
function moveByKey(event, field, list) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  const focused = document.activeElement;
  const inList = focused !== null && list.contains(focused);
  const writes =
    focused instanceof HTMLInputElement ||
    focused instanceof HTMLTextAreaElement ||
    focused instanceof HTMLSelectElement;
  if ((event.key === "/" && !writes) || (event.key === "Escape" && inList)) {
    event.preventDefault();
    field.focus();
    field.select();
    return;
  }
  if (focused !== field && !inList) return;
  const stops = [field, ...list.querySelectorAll("h3 a")];
  const at = stops.indexOf(/** @type {HTMLElement} */ (focused));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const next = step && at >= 0 ? stops[at + step] : null;
  if (next instanceof HTMLElement) {
    event.preventDefault();
    next.focus();
  }
}

/**
 * @param {Result} result
 * @param {string[]} words
 * @param {string} prefix
 */
function renderResult(result, words, prefix) {
  const heading = element("h3", result.status === "retracted" ? "struck" : "");
  const link = document.createElement("a");
  link.href = result.url;
  link.append(...marked(result.title, words, prefix));
  heading.append(link);
  const by = element("p", "by");
  by.append(...marked(byline(result), words, prefix));
  const where = whereabouts(result);
  if (where) by.append(element("span", "where", result.people.length ? `. ${where}` : where));
  const item = document.createElement("li");
  item.append(heading, by);
  const marks = marksOf(result);
  if (marks.length) {
    const meta = element("p", "meta");
    for (const { cls, text } of marks) meta.append(element("b", cls, text), " ");
    item.append(meta);
  }
  return item;
}

/**
 * @param {State} state
 * @param {number} total
 */
function renderLinks(state, total) {
  const links = pageLinks(state, total);
  if (!links.length) return [];
  const items = document.createElement("ul");
  for (const { text, rel, state: target } of links) {
    const link = document.createElement("a");
    link.href = writeState(target);
    link.rel = rel;
    link.textContent = text;
    const item = document.createElement("li");
    item.append(link);
    items.append(item);
  }
  return [items];
}

/**
 * @param {string} text
 * @param {string[]} words
 * @param {string} prefix
 * @returns {Node[]}
 */
function marked(text, words, prefix) {
  return markWords(text, words, prefix).map((segment) =>
    segment.marked ? element("mark", "", segment.text) : document.createTextNode(segment.text),
  );
}

/**
 * @param {string} name
 * @param {string} cls
 * @param {string} [text]
 */
function element(name, cls, text) {
  const made = document.createElement(name);
  if (cls) made.className = cls;
  if (text !== undefined) made.textContent = text;
  return made;
}
