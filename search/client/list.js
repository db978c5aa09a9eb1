/**
 * The list of results. A list that follows another as a reader types has much in common with
 * it: items that stay the same are not made again, so that the browser need not lay them out
 * and paint them again.
 *
 * @module
 */

import { whyText } from "./phrasing.js";
import { resultItem } from "./view.js";

/** @typedef {import("./engine.js").Hit} Hit */
/** @typedef {import("./engine.js").Response} Answer */

export class ResultList {
  /**
   * @param {HTMLElement} place
   * @param {(hit: Hit) => string} addressOf where a result stands, from this page
   */
  constructor(place, addressOf) {
    this.place = place;
    this.addressOf = addressOf;
    /** What each item was made from. @type {WeakMap<Element, string>} */
    this.sources = new WeakMap();
  }

  /**
   * @param {Hit[]} hits
   * @param {Answer["words"]} words
   * @param {boolean} isWhole whether snippets that are not there will not come
   */
  show(hits, words, isWhole) {
    const { place, sources } = this;
    const before = [...place.children];
    // Who goes through the list with the keyboard stays where they are.
    const focused = document.activeElement;
    const at = before.findIndex((item) => item.contains(focused));
    const kept = new Map(before.map((item) => [sources.get(item), item]));
    const items = hits.map((hit) => {
      const source = sourceOf(hit, words, isWhole);
      const same = kept.get(source);
      kept.delete(source);
      const item = same ?? resultItem(hit, words, this.addressOf, isWhole);
      if (!same) sources.set(item, source);
      return item;
    });
    for (const item of before) if (!items.includes(item)) item.remove();
    items.forEach((item, i) => {
      const there = place.children[i];
      if (there !== item) place.insertBefore(item, there ?? null);
    });
    if (at < 0) return;
    const link = items[at]?.querySelector("a");
    if (link !== document.activeElement) link?.focus({ preventScroll: true });
  }

  clear() {
    this.place.replaceChildren();
  }
}

/**
 * All that is to be seen of an item.
 *
 * @param {Hit} hit
 * @param {Answer["words"]} words
 * @param {boolean} isWhole
 */
function sourceOf(hit, words, isWhole) {
  const { score, why, exact, ...shown } = hit;
  const waits = hit.hasAbstract && !hit.snippet && !isWhole;
  return JSON.stringify([shown, whyText(hit, words, isWhole), waits]);
}
