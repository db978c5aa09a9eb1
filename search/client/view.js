/**
 * Parts of the search page, made from answers: items of the list, pages, what to try instead.
 *
 * @module
 */

import { FACETS, MOST_RESULTS, writeState, toggled, withYears } from "./address.js";
import { element, marked, sentence, unseen } from "./element.js";
import {
  byline,
  count,
  counted,
  label,
  lastPage,
  marksOf,
  pageLinks,
  valueLabel,
  whereabouts,
  whyText,
  yearsLabel,
} from "./phrasing.js";

/** How many words that one may have meant are named. */
const MOST_NEAR = 3;

/** @typedef {import("./engine.js").Hit} Hit */
/** @typedef {import("./engine.js").Response} Answer */
/** @typedef {import("./address.js").State} State */

/**
 * One result, as theme/templates/card.html makes list items.
 *
 * @param {Hit} hit
 * @param {Answer["words"]} words
 * @param {(hit: Hit) => string} addressOf
 * @param {boolean} isWhole whether a snippet that is not there will not come
 */
export function resultItem(hit, words, addressOf, isWhole) {
  const when = element("p", { class: "when" });
  label(hit).forEach((text, i) => when.append(i ? " " : "", element("span", null, text)));
  const title = hit.title.trim()
    ? marked(hit.title, hit.titleMarks)
    : [document.createTextNode("Untitled")];
  const link = element("a", { href: addressOf(hit) }, ...title);
  const heading = element("h3", { class: hit.status === "retracted" ? "struck" : null }, link);
  const people = byline(hit);
  const where = whereabouts(hit);
  const by = element("p", { class: "by" }, people);
  if (where) by.append(element("span", { class: "where" }, people ? `. ${where}` : where));
  const item = element("li", null, when, heading, people || where ? by : null);
  // A snippet that is on its way has its place.
  if (hit.snippet || (hit.hasAbstract && !isWhole)) {
    item.append(element("p", { class: "snip" }, ...marked(hit.snippet, hit.snippetMarks)));
  }
  const meta = element("p", { class: "meta" });
  for (const { cls, text } of marksOf(hit)) meta.append(element("b", { class: cls }, text), " ");
  const why = whyText(hit, words, isWhole);
  if (why) meta.append(element("span", { class: "why" }, why));
  if (meta.childNodes.length) item.append(meta);
  return item;
}

/**
 * Links to other pages of the list.
 *
 * @param {State} state
 * @param {number} total
 */
export function pager(state, total) {
  const links = pageLinks(state.page, total);
  if (!links.length) return [];
  const items = links.map(({ text, page, rel, current }) => {
    if (page === undefined) return element("li", null, text);
    const href = writeState({ ...state, page }) || "?";
    const name = current || rel ? null : `Results ${text}`;
    const attributes = { href, rel, "aria-label": name, "aria-current": current ? "page" : null };
    return element("li", null, element("a", attributes, text));
  });
  return [element("ul", null, ...items)];
}

/**
 * What was made of the query, where it is not plainly what was typed.
 *
 * @param {State} state
 * @param {Answer} answer
 * @param {string} notice
 * @returns {Node[]} paragraphs
 */
export function remarks(state, answer, notice) {
  const said = [];
  const { suggestion, total, words } = answer;
  for (const { word, corrected, forms } of words) {
    if (!corrected || !total) continue;
    const near = forms.filter((form) => form !== word).slice(0, MOST_NEAR);
    const held = near.flatMap((form, i) => [i ? "” or “" : "“", quoted(form)]);
    said.push(paragraph("Nothing holds “", quoted(word), "”; these hold ", ...held, "”."));
  }
  if (suggestion && total) said.push(didYouMean(state, suggestion));
  if (notice) said.push(element("p", { class: "soft" }, notice));
  if (state.page === lastPage(total) && total > MOST_RESULTS) {
    const most = count(MOST_RESULTS);
    said.push(
      element(
        "p",
        { class: "soft" },
        `Lists end after ${most} results: narrow this one, or turn its order.`,
      ),
    );
  }
  const phrase = asPhrase(state.query);
  if (phrase && !said.length) {
    const link = queryLink({ ...state, query: `"${phrase}"`, page: 1 }, `“${phrase}”`);
    said.push(element("p", { class: "soft" }, ...sentence("Also: {} as a phrase.", link)));
  }
  return said;
}

/**
 * What to try where nothing was found.
 *
 * @param {State} state
 * @param {Answer} answer
 * @param {number | null} withoutFilters how many there were without filters, if they may be why
 * @param {string} notice
 * @returns {Node[]}
 */
export function nothingFound(state, answer, withoutFilters, notice) {
  const { suggestion, nothing } = answer;
  const said = [];
  const each = nothing?.each ?? [];
  if (withoutFilters) {
    const all = { ...state, filters: {}, years: null, page: 1 };
    const link = queryLink(all, counted(withoutFilters, "result"));
    said.push(
      element("p", null, ...sentence("Nothing within these limits; without them, {}.", link)),
    );
  } else if (each.length > 1 && each.every(({ documents }) => documents)) {
    said.push(
      element(
        "p",
        null,
        `Nothing holds ${each.length === 2 ? "both words" : "all of these words"}.`,
      ),
    );
  } else {
    said.push(element("p", null, "Nothing was found."));
  }
  if (suggestion) said.push(didYouMean(state, suggestion));
  if (each.length > 1 || (each.length && nothing?.nearest.length)) {
    const list = element("dl", { class: "dated" });
    for (const { word, documents } of each) {
      const alone = documents
        ? sentence(
            "alone finds {}",
            queryLink({ ...state, query: word, page: 1 }, count(documents)),
          )
        : ["alone finds nothing"];
      list.append(element("dt", null, quoted(word)), element("dd", null, ...alone));
    }
    said.push(list);
  }
  if (nothing?.nearest.length) {
    const near = nothing.nearest.flatMap((word, i) => [
      i ? ", " : "",
      queryLink({ ...state, query: word, page: 1 }, word),
    ]);
    said.push(paragraph("Words near to these: ", ...near, "."));
  }
  if (notice) said.push(element("p", { class: "soft" }, notice));
  return said;
}

/**
 * The filters in force, each with a way to take it off.
 *
 * @param {State} state
 * @param {(name: string, value: string) => string} nameOf
 */
export function filtersInForce(state, nameOf) {
  const items = [];
  if (state.years)
    items.push(takeOff(withYears(state, null, null), "year", yearsLabel(state.years)));
  for (const name of FACETS) {
    for (const value of state.filters[name] ?? []) {
      const text = valueLabel(name, value, nameOf(name, value));
      items.push(takeOff(toggled(state, name, value), `${name}:${value}`, text));
    }
  }
  if (items.length > 1) {
    const all = { ...state, filters: {}, years: null, page: 1 };
    items.push(
      element("a", { href: writeState(all) || "?", "data-key": "off:all" }, "take all off"),
    );
  }
  return items.map((item) => element("li", null, item));
}

/**
 * @param {State} without
 * @param {string} key
 * @param {string} text
 */
function takeOff(without, key, text) {
  const sign = element("span", { "aria-hidden": "true" }, " ×");
  const attributes = { href: writeState(without) || "?", "data-key": `off:${key}` };
  return element("a", attributes, unseen("Take off: "), quoted(text), sign);
}

/**
 * The words of a query of a few plain words, which may be meant as a phrase; else nothing.
 *
 * @param {string} query
 */
function asPhrase(query) {
  const words = query.trim().split(/\s+/u);
  const isPlain = words.every((word) => /^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’-]*$/u.test(word));
  return isPlain && words.length > 1 && words.length < 6 ? words.join(" ") : "";
}

/**
 * @param {State} state
 * @param {string} suggestion
 */
function didYouMean(state, suggestion) {
  const link = queryLink({ ...state, query: suggestion, page: 1 }, suggestion);
  return element("p", null, ...sentence("Did you mean {}?", link));
}

/**
 * @param {State} state
 * @param {string} text
 */
function queryLink(state, text) {
  return element("a", { href: writeState(state) || "?" }, quoted(text));
}

/** @param {...(Node | string)} children */
function paragraph(...children) {
  return element("p", null, ...children);
}

/**
 * A reader's word in any script, kept apart from the sentence around it.
 *
 * @param {string} text
 */
function quoted(text) {
  return element("bdi", null, text);
}
