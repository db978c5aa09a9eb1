/**
 * The facets: years as bars, the rest as plain lists with counts.
 *
 * @module
 */

import { FACETS, readYear, toggled, withYears, writeState } from "./address.js";
import { element, unseen } from "./element.js";
import { histogram } from "./histogram.js";
import { count, FACET_TITLES, valueLabel } from "./phrasing.js";

/** @typedef {import("./engine.js").Response} Answer */
/** @typedef {import("./address.js").State} State */
/** @typedef {{value: string, label: string, count: number}} Value */

/** Short lists, shown as soon as there are results. */
export const QUICK = ["year", "type", "kind", "access"];

const SHOWN = 6;
const MORE = 40;

export class Facets {
  /**
   * @param {HTMLElement} place
   * @param {{go: (state: State) => void, wants: () => void, countAll: () => void}} reader
   */
  constructor(place, reader) {
    this.place = place;
    this.reader = reader;
    /** How many values of each list are shown. */
    this.shown = /** @type {Record<string, number>} */ ({});
    /** Lists that the reader opened. */
    this.opened = /** @type {Set<string>} */ (new Set());
    this.labels = /** @type {Map<string, string>} */ (new Map());
    place.addEventListener("click", (event) => this.click(event));
    place.addEventListener("submit", (event) => this.submit(event));
  }

  /** The facets whose counts are wanted now. */
  names() {
    return [...QUICK, ...FACETS.filter((name) => this.opened.has(name))];
  }

  /**
   * The name of a value, if it was ever listed.
   *
   * @param {string} name
   * @param {string} value
   */
  labelOf(name, value) {
    return this.labels.get(`${name}:${value}`) ?? "";
  }

  /**
   * @param {State} state
   * @param {Answer} answer
   */
  show(state, answer) {
    this.state = state;
    this.answer = answer;
    const held = document.activeElement?.getAttribute("data-key");
    const inside = this.place.contains(document.activeElement);
    const parts = [];
    if (answer.best !== null) parts.push(this.bestOnly(answer));
    const years = answer.years.filter(({ year, count: n }) => year && n);
    if (years.length > 1 || state.years) parts.push(...this.years(state, years));
    for (const name of FACETS) parts.push(...this.list(state, name, answer.facets[name]));
    this.place.replaceChildren(...parts);
    this.place.classList.remove("stale");
    if (inside && held) this.find(held)?.focus();
  }

  /** Counts of another list are not shown. */
  fade() {
    this.place.classList.add("stale");
  }

  /**
   * @param {string} key
   * @returns {HTMLElement | null}
   */
  find(key) {
    return this.place.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  /** @param {Answer} answer */
  bestOnly({ total }) {
    const all = element("button", { type: "button", "data-key": "all" }, "Count all");
    return element("p", { class: "note" }, `Counts of the best ${count(total)}. `, all);
  }

  /**
   * @param {State} state
   * @param {{year: number, count: number}[]} years
   */
  years(state, years) {
    const [from, to] = state.years ?? [null, null];
    const field = (
      /** @type {string} */ id,
      /** @type {string} */ name,
      /** @type {number | null} */ value,
    ) => [
      element("label", { for: id }, name),
      element("input", {
        id,
        name,
        inputmode: "numeric",
        maxlength: "4",
        size: "4",
        autocomplete: "off",
        value: value === null ? "" : String(value),
        "data-key": id,
      }),
    ];
    const form = element(
      "form",
      { class: "narrow" },
      ...field("year-from", "from", from),
      ...field("year-to", "to", to),
      element("button", { "data-key": "year-set" }, "Set"),
    );
    if (state.years) {
      const all = writeState(withYears(state, null, null)) || "?";
      form.append(element("a", { href: all, "data-key": "year-all" }, "all years"));
    }
    const drawn = years.length ? [histogram(years, state.years)] : [];
    return [element("h2", null, "Year"), ...drawn, form];
  }

  /**
   * @param {State} state
   * @param {string} name
   * @param {Value[] | undefined} values undefined while not loaded
   */
  list(state, name, values) {
    const title = FACET_TITLES[name];
    const chosen = state.filters[name] ?? [];
    const isQuick = QUICK.includes(name);
    if (isQuick && (!values || (values.length < 2 && !chosen.length))) return [];
    const isOpen = isQuick || this.opened.has(name);
    const heading = isQuick
      ? element("h2", null, title)
      : element(
          "h2",
          null,
          element(
            "button",
            {
              type: "button",
              "aria-expanded": String(isOpen),
              "data-open": name,
              "data-key": `open:${name}`,
            },
            title,
          ),
        );
    if (!isOpen) return [heading];
    if (!values) return [heading, element("p", { class: "note" }, "…")];
    for (const { value, label } of values) this.labels.set(`${name}:${value}`, label);
    // What was chosen stays in sight, wherever its count would put it.
    const ordered = [
      ...values.filter(({ value }) => chosen.includes(value)),
      ...chosen
        .filter((value) => !values.some((one) => one.value === value))
        .map((value) => ({ value, label: this.labelOf(name, value), count: 0 })),
      ...values.filter(({ value, count: n }) => n && !chosen.includes(value)),
    ];
    if (!ordered.length) return [heading, element("p", { class: "note" }, "None.")];
    const most = Math.max(this.shown[name] ?? SHOWN, chosen.length);
    // A button that would bring a single value is longer than that value.
    const shown = ordered.length <= most + 1 ? ordered : ordered.slice(0, most);
    const items = shown.map((value) => this.item(state, name, value, chosen.includes(value.value)));
    const rest = ordered.length - shown.length;
    if (rest) {
      const attributes = { type: "button", "data-more": name, "data-key": `more:${name}` };
      items.push(element("li", null, element("button", attributes, `${count(rest)} more`)));
    }
    return [heading, element("ul", { class: "count", "aria-label": title }, ...items)];
  }

  /**
   * @param {State} state
   * @param {string} name
   * @param {Value} value
   * @param {boolean} isChosen
   */
  item(state, name, { value, label, count: n }, isChosen) {
    const link = element(
      "a",
      {
        href: writeState(toggled(state, name, value)) || "?",
        "aria-current": isChosen ? "true" : null,
        "data-key": `${name}:${value}`,
      },
      isChosen ? unseen("Take off: ") : null,
      element("bdi", null, valueLabel(name, value, label)),
      isChosen ? element("span", { "aria-hidden": "true" }, " ×") : null,
    );
    return element("li", null, link, " ", element("span", { class: "n" }, count(n)));
  }

  /** @param {MouseEvent} event */
  click(event) {
    if (!(event.target instanceof Element) || !this.state || !this.answer) return;
    const from = event.target.getAttribute("data-from");
    if (from) {
      const to = event.target.getAttribute("data-to");
      const [first, last] = this.state.years ?? [null, null];
      const same = first === Number(from) && last === Number(to);
      this.reader.go(withYears(this.state, same ? null : Number(from), same ? null : Number(to)));
      return;
    }
    const button = event.target.closest("button");
    const opens = button?.getAttribute("data-open");
    const grows = button?.getAttribute("data-more");
    if (opens) {
      if (!this.opened.delete(opens)) this.opened.add(opens);
      this.show(this.state, this.answer);
      if (this.opened.has(opens)) this.reader.wants();
    } else if (grows) {
      const before = this.shown[grows] ?? SHOWN;
      this.shown[grows] = before + MORE;
      this.show(this.state, this.answer);
      const list = [...this.place.querySelectorAll(`[data-key^="${grows}:"]`)];
      /** @type {HTMLElement | undefined} */ (list[before])?.focus();
    } else if (button?.getAttribute("data-key") === "all") {
      this.reader.countAll();
    }
  }

  /** @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    if (!this.state) return;
    const value = (/** @type {string} */ id) => {
      const field = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
      return readYear(field?.value ?? "");
    };
    this.reader.go(withYears(this.state, value("year-from"), value("year-to")));
  }
}
