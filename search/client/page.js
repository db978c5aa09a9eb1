/**
 * The search page: from field and address to list and facets, and back.
 *
 * Typing replaces the state in the address; committing (Enter, leaving the field, a filter,
 * an order, another page) makes an entry that the back button returns to.
 *
 * @module
 */

import { asksSomething, hasFilters, PAGE_SIZE, readState, toRequest, writeState } from "./address.js";
import { element, renew } from "./element.js";
import { Facets } from "./facets.js";
import { listenToKeys } from "./keyboard.js";
import { ResultList } from "./list.js";
import { announcement, heading, lastPage } from "./phrasing.js";
import { Place } from "./place.js";
import { SearchFailure } from "./remote.js";
import { Toolbar } from "./toolbar.js";
import { nothingFound, pager, remarks } from "./view.js";

/** @typedef {import("./session.js").Answer} Answer */
/** @typedef {import("./engine.js").Hit} Hit */
/** @typedef {import("./address.js").State} State */
/** @typedef {import("./session.js").Session} Session */

/** Milliseconds without typing after which address, links around the list and facets follow. */
const PAUSE = 300;
const ANNOUNCE = 900;
/** Milliseconds after which a list that is not there yet is said to be on its way. */
const SLOW = 400;
const AT_ONCE = 2;

/**
 * @typedef {object} Parts The elements that theme/templates/search.html provides.
 * @property {HTMLFormElement} form
 * @property {HTMLInputElement} field
 * @property {HTMLElement} tools
 * @property {HTMLElement} facets
 * @property {HTMLDetailsElement} narrow
 * @property {HTMLElement} results
 * @property {HTMLElement} heading
 * @property {HTMLElement} says
 * @property {HTMLElement} list
 * @property {HTMLElement} more
 * @property {HTMLElement} status
 * @property {HTMLElement} browse
 */

export class SearchPage {
  /**
   * @param {Parts} parts
   * @param {Session} session
   * @param {(hit: Hit) => string} addressOf where a result stands, from this page
   * @param {string} saving address of the script that makes files
   */
  constructor(parts, session, addressOf, saving) {
    this.parts = parts;
    this.session = session;
    this.state = readState(location.search);
    this.committed = this.state;
    this.turn = 0;
    this.running = 0;
    this.waiting = false;
    this.answer = /** @type {Answer | null} */ (null);
    this.around = /** @type {(() => void) | null} */ (null);
    /** The query for which all postings were asked for. */
    this.completeFor = "";
    this.countedFor = "";
    this.siteTitle = document.title;
    this.facets = new Facets(parts.facets, {
      go: (state) => this.go(state),
      wants: () => this.countAll(),
      countAll: () => this.countAll(),
    });
    this.toolbar = new Toolbar(parts.tools, saving, {
      list: () => this.answer && { session, state: this.state, answer: this.answer },
      say: (words) => this.say(words),
    });
    this.list = new ResultList(parts.list, addressOf);
    this.place = new Place(parts.list);
    this.isWide = matchMedia("(min-width: 54rem)");
  }

  start() {
    const { field, form, narrow, results, tools, more, says, list } = this.parts;
    // What was typed before this script was here counts.
    if (field.value && !this.state.query) this.state = { ...this.state, query: field.value };
    else field.value = this.state.query;
    field.addEventListener("input", () => this.type());
    field.addEventListener("change", () => this.commit(this.state));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.typed();
      this.commit(this.state);
      this.run();
    });
    for (const place of [tools, more, says, this.parts.facets]) {
      place.addEventListener("click", (event) => this.follow(event));
    }
    for (const place of [tools, more]) {
      for (const act of ["pointerdown", "focusin"]) {
        place.addEventListener(act, () => this.settle());
      }
    }
    narrow.addEventListener("toggle", () => {
      if (narrow.open && !this.isWide.matches) this.countAll();
    });
    this.isWide.addEventListener("change", () => {
      if (this.facetNames().length && this.countedFor !== this.facetKey()) this.run();
    });
    addEventListener("popstate", () => this.back());
    addEventListener("online", () => {
      if (results.classList.contains("failed")) this.run();
    });
    listenToKeys(field, () => [
      .../** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("h3 a")),
      .../** @type {NodeListOf<HTMLElement>} */ (more.querySelectorAll("a[rel=next]")),
    ]);
    this.place.arrive();
    if (asksSomething(this.state)) this.toolbar.show(this.state, true);
    // The index is opened while the reader still thinks.
    this.session.open().catch(() => {});
    this.run();
  }

  /** Show the list again, as after a change of what may be shown. */
  refresh() {
    this.countedFor = "";
    this.run();
  }

  type() {
    this.typed();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.replace(), PAUSE);
    this.run(true);
  }

  typed() {
    const query = this.parts.field.value;
    if (query !== this.state.query) this.state = { ...this.state, query, page: 1 };
  }

  /** @param {State} state */
  go(state) {
    this.place.let();
    this.typed();
    this.commit(state);
    this.parts.field.value = state.query;
    return this.run();
  }

  /**
   * Make an entry of this state; what was typed over gets its own address back.
   *
   * @param {State} state
   */
  commit(state) {
    clearTimeout(this.settling);
    const before = writeState(this.committed);
    const now = writeState(state);
    this.state = state;
    if (before !== now) {
      this.place.leave();
      history.replaceState(history.state, "", before || location.pathname);
      history.pushState(null, "", now || location.pathname);
      this.committed = state;
    } else {
      this.replace();
    }
    this.entitle();
  }

  replace() {
    const address = writeState(this.state);
    if (address === location.search) return;
    history.replaceState(history.state, "", address || location.pathname);
  }

  back() {
    // A link within the page leads to no other list.
    const state = readState(location.search);
    if (writeState(state) === writeState(this.state)) return;
    clearTimeout(this.settling);
    this.place.arrive();
    this.state = this.committed = state;
    this.parts.field.value = this.state.query;
    this.entitle();
    this.run();
  }

  entitle() {
    const query = this.state.query.replace(/\s+/gu, " ").trim();
    const shown = query.length > 60 ? `${query.slice(0, 60)}…` : query;
    document.title = shown ? `${shown} · ${this.siteTitle}` : this.siteTitle;
  }

  /** @param {MouseEvent} event */
  follow(event) {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    this.settle();
    const key = link.getAttribute("data-key");
    const isPage = this.parts.more.contains(link);
    const state = readState(new URL(/** @type {HTMLAnchorElement} */ (link).href).search);
    this.go(state).then(() => {
      if (isPage || (key?.startsWith("off:") && !document.contains(document.activeElement))) {
        this.parts.heading.focus({ preventScroll: true });
      }
      if (isPage) this.parts.results.scrollIntoView();
    });
    if (key?.startsWith("off:")) this.parts.heading.focus({ preventScroll: true });
  }

  countAll() {
    this.completeFor = this.question();
    return this.run();
  }

  /** Words and nothing else: what decides which postings are needed. */
  question() {
    return `q ${this.state.query}`;
  }

  isComplete() {
    const { sort, page } = this.state;
    return (
      sort !== "relevance" ||
      hasFilters(this.state) ||
      page > 10 ||
      this.completeFor === this.question()
    );
  }

  /** What the counts that are shown belong to. */
  facetKey() {
    return [writeState({ ...this.state, page: 1 }), this.isComplete(), this.facetNames()].join(" ");
  }

  /** @returns {string[]} the facets that are in sight */
  facetNames() {
    return this.isWide.matches || this.parts.narrow.open ? this.facets.names() : [];
  }

  /**
   * Answer the state as it is now. Of many calls at once the last counts.
   *
   * @param {boolean} [isTyping]
   */
  async run(isTyping = false) {
    const turn = ++this.turn;
    if (this.running >= AT_ONCE) {
      this.waiting = true;
      return;
    }
    this.running++;
    clearTimeout(this.slow);
    this.slow = setTimeout(() => this.busy(), SLOW);
    try {
      await this.answerOnce(turn, isTyping);
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    } finally {
      this.running--;
      if (this.waiting) {
        this.waiting = false;
        this.run(isTyping);
      }
    }
  }

  /**
   * @param {number} turn
   * @param {boolean} isTyping
   * @returns {Promise<void>}
   */
  async answerOnce(turn, isTyping) {
    const { state } = this;
    const complete = this.isComplete();
    const asks = asksSomething(state);
    if (!asks) this.rest();
    const names = this.countedFor === this.facetKey() ? [] : this.facetNames();
    if (names.length) this.facets.fade();
    if (asks) {
      const answer = await this.session.search(toRequest(state, { prefix: true, complete }));
      if (turn !== this.turn) return;
      if (answer.total && state.page > lastPage(answer.total)) {
        this.state = { ...state, page: lastPage(answer.total) };
        this.replace();
        return this.answerOnce(turn, isTyping);
      }
      let without = null;
      if (!answer.total && hasFilters(state)) {
        const all = { ...state, filters: {}, years: null };
        const request = toRequest(all, { prefix: true, complete: false });
        without = (await this.session.search({ ...request, limit: 0 })).total;
        if (turn !== this.turn) return;
      }
      this.show(state, answer, without, isTyping);
      if (answer.list) {
        const later = this.session.snippets(answer.list).catch(() => []);
        later.then((hits) => {
          if (turn !== this.turn) return;
          if (hits.length) this.list.show(hits, answer.words, true);
          this.place.find(true);
        });
      }
    }
    if (!names.length) {
      this.showFilters();
      return;
    }
    // While a reader types, counts wait until the words stand still.
    if (isTyping) {
      await pause(PAUSE);
      if (turn !== this.turn) return;
    }
    const request = toRequest(state, { prefix: true, complete, facets: names });
    const counted = await this.session.search({ ...request, limit: 0 });
    if (turn !== this.turn) return;
    this.facets.show(state, counted);
    this.countedFor = this.facetKey();
    this.showFilters();
  }

  /** Nothing is asked: the field, the lists to look through, and how to ask. */
  rest() {
    const { parts } = this;
    this.answer = this.around = null;
    parts.results.hidden = true;
    this.idle();
    parts.browse.hidden = false;
    delete parts.list.dataset.query;
    this.list.clear();
    parts.tools.hidden = true;
    this.announce("");
    this.release();
    this.place.find(true);
  }

  busy() {
    const { parts } = this;
    parts.results.classList.add("busy");
    parts.results.setAttribute("aria-busy", "true");
    if (asksSomething(this.state)) {
      parts.results.hidden = false;
      parts.heading.textContent = "Searching …";
    }
  }

  /** The list is there, or will not come; counts may still be on their way. */
  idle() {
    clearTimeout(this.slow);
    this.parts.narrow.hidden = false;
    this.parts.results.classList.remove("busy", "failed");
    this.parts.results.removeAttribute("aria-busy");
  }

  /**
   * @param {State} state
   * @param {Answer} answer
   * @param {number | null} without
   * @param {boolean} isTyping
   */
  show(state, answer, without, isTyping) {
    const { parts } = this;
    this.answer = answer;
    this.idle();
    parts.results.hidden = false;
    parts.browse.hidden = answer.total > 0;
    const { notice } = this.session;
    renew(parts.heading, [document.createTextNode(heading(answer))]);
    renew(
      parts.says,
      answer.total
        ? remarks(state, answer, notice)
        : nothingFound(state, answer, without, notice),
    );
    this.list.show(answer.hits, answer.words, !answer.list);
    parts.list.hidden = !answer.hits.length;
    const first = String((state.page - 1) * PAGE_SIZE + 1);
    if (parts.list.getAttribute("start") !== first) parts.list.setAttribute("start", first);
    // What the list answers, for scripts that wait for it.
    parts.list.dataset.query = state.query;
    this.around = () => {
      renew(parts.more, pager(state, answer.total));
      parts.more.hidden = !parts.more.childElementCount;
      this.toolbar.show(state, answer.total > 0);
      this.showFilters();
    };
    // While a reader types, what stands around the list waits until the words stand still, or
    // until someone turns to it.
    clearTimeout(this.following);
    if (!isTyping || parts.tools.hidden) this.settle();
    else this.following = setTimeout(() => this.settle(), PAUSE);
    this.announce(announcement(answer, state.page));
    this.release();
    this.place.find(!answer.list);
  }

  /** Have what stands around the list belong to it, now. */
  settle() {
    this.around?.();
    this.around = null;
  }

  showFilters() {
    this.toolbar.showFilters(this.state, (name, value) => this.facets.labelOf(name, value));
  }

  /**
   * Never a wrong list: words in its place, a way to try again, and the lists below.
   *
   * @param {unknown} error
   */
  fail(error) {
    const { parts } = this;
    const isKnown = error instanceof SearchFailure && error.kind !== "";
    const reason = isKnown
      ? error.message
      : "The search went wrong; that is a fault of this page, not of your words.";
    this.answer = this.around = null;
    this.idle();
    delete parts.list.dataset.query;
    parts.results.hidden = false;
    parts.results.classList.add("failed");
    parts.tools.hidden = true;
    parts.heading.textContent = "No answer";
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => {
      parts.field.focus();
      this.run();
    });
    const said =
      isKnown && error.kind === "mismatch" ? `${reason} Please reload the page.` : reason;
    parts.says.replaceChildren(
      element("p", null, `${said} The lists below lead to everything, too.`),
      element("p", null, again),
    );
    this.list.clear();
    parts.list.hidden = true;
    parts.more.replaceChildren();
    parts.facets.replaceChildren();
    parts.narrow.hidden = true;
    this.countedFor = "";
    parts.browse.hidden = false;
    this.announce(said);
    this.release();
    if (!isKnown) setTimeout(() => Promise.reject(error));
  }

  /**
   * Read aloud once typing has stopped, and not for each letter.
   *
   * @param {string} words
   */
  announce(words) {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      this.parts.status.textContent = words;
    }, ANNOUNCE);
  }

  /** Fonts may load now: the first results were more urgent. */
  release() {
    const { classList } = document.documentElement;
    if (classList.contains("urgent")) classList.remove("urgent");
  }

  /**
   * Say what is done for the reader, in the page and aloud.
   *
   * @param {string} words
   */
  say(words) {
    this.parts.says.querySelector(".saved")?.remove();
    this.parts.says.append(element("p", { class: "saved" }, words));
    clearTimeout(this.announcing);
    this.parts.status.textContent = words;
  }
}

/**
 * @param {number} milliseconds
 * @returns {Promise<null>}
 */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(() => resolve(null), milliseconds));
}
