/**
 * The line under the field: the order of the list, files of it, and the filters in force.
 *
 * @module
 */

import { SORTS, writeState } from "./address.js";
import { buttons, loadSaving } from "./downloads.js";
import { element, renew } from "./element.js";
import { SearchFailure } from "./remote.js";
import { filtersInForce } from "./view.js";

/** @typedef {import("./session.js").Answer} Answer */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./address.js").State} State */

/**
 * @typedef {object} Page
 * @property {() => {session: Session, state: State, answer: Answer} | null} list what is shown
 * @property {(words: string) => void} say
 */

export class Toolbar {
  /**
   * @param {HTMLElement} place
   * @param {string} saving address of the script that makes files
   * @param {Page} page
   */
  constructor(place, saving, page) {
    this.place = place;
    this.saving = saving;
    this.page = page;
    this.group("exports")?.append(...buttons((ending) => this.save(ending)));
  }

  /** @param {string} name */
  group(name) {
    return /** @type {HTMLElement | null} */ (this.place.querySelector(`[data-${name}]`));
  }

  /**
   * @param {State} state
   * @param {boolean} hasList whether there is something to order and to save, or may be
   */
  show(state, hasList) {
    this.place.hidden = false;
    const hasWords = Boolean(state.query.trim());
    const sort = state.sort === "relevance" && !hasWords ? "newest" : state.sort;
    const links = SORTS.filter((name) => name !== "relevance" || hasWords).map((name) => {
      const href = writeState({ ...state, sort: name, page: 1 }) || "?";
      const current = name === sort ? "true" : null;
      const attributes = { href, "aria-current": current, "data-key": `sort:${name}` };
      return element("li", null, element("a", attributes, name));
    });
    this.replace("order", [element("li", null, "Order"), ...links]);
    for (const name of ["order", "exports"]) {
      const group = this.group(name);
      if (group) group.hidden = !hasList;
    }
  }

  /**
   * @param {State} state
   * @param {(name: string, value: string) => string} nameOf
   */
  showFilters(state, nameOf) {
    const items = filtersInForce(state, nameOf);
    this.replace("only", [element("li", null, "Only"), ...items]);
    const only = this.group("only");
    if (only) only.hidden = !items.length;
  }

  /**
   * Whoever is on one of the links stays there.
   *
   * @param {string} name
   * @param {Node[]} items
   */
  replace(name, items) {
    const group = this.group(name);
    if (!group) return;
    const focused = document.activeElement;
    const key = group.contains(focused) ? focused?.getAttribute("data-key") : null;
    renew(group, items);
    const again = key && group.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again) /** @type {HTMLElement} */ (again).focus();
  }

  /** @param {string} ending */
  async save(ending) {
    const shown = this.page.list();
    if (!shown?.answer.total) return;
    const { session, state, answer } = shown;
    const { say } = this.page;
    try {
      const saveList = await loadSaving(this.saving);
      await saveList(session, state, ending, answer.total, answer.best === null, say);
    } catch (error) {
      if (!(error instanceof SearchFailure)) throw error;
      say(`The file could not be made. ${error.message}`);
    }
  }
}
