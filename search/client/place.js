/**
 * Where the reader was in the list: kept with each entry of the browser's history, and found
 * again when the list is there. Browsers do this by pixels, before the list has come.
 *
 * @module
 */

/**
 * @typedef {object} Kept
 * @property {string} href the result at the top of the window, or the one that was opened
 * @property {number} top how far it stood below the window's upper edge
 * @property {boolean} opened whether it was opened from here
 * @property {number} y how far the page was scrolled, for when the result is not in the list
 */

/** Milliseconds for which a page lies still before its place is kept. */
const STILL = 150;

export class Place {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    /** @type {Kept | null} */
    this.wanted = null;
    history.scrollRestoration = "manual";
    list.addEventListener("click", (event) => {
      const item = event.target instanceof Element ? event.target.closest("li") : null;
      const link = item?.querySelector("h3 a");
      if (link) this.keep(link, true);
    });
    addEventListener("scroll", () => this.later(), { passive: true });
    // Whoever moves the page is where they want to be.
    for (const act of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      addEventListener(act, () => this.let(), { passive: true, capture: true });
    }
  }

  /** Keep the place with the entry that is about to be left. */
  leave() {
    if (this.wanted) return;
    clearTimeout(this.still);
    const links = [...this.list.querySelectorAll("h3 a")];
    const link = links.find((one) => one.getBoundingClientRect().top >= 0);
    this.keep(scrollY ? link : undefined, false);
  }

  /** The list that follows is that of this entry: go to its place once it is there. */
  arrive() {
    clearTimeout(this.still);
    this.wanted = history.state?.place ?? { href: "", top: 0, opened: false, y: 0 };
  }

  /** The list that follows is another one. */
  let() {
    this.wanted = null;
  }

  /**
   * Go to the place, as far as the list is there.
   *
   * @param {boolean} isWhole whether the list is as long as it will be
   */
  find(isWhole) {
    const { wanted } = this;
    if (!wanted) return;
    const link = wanted.href
      ? this.list.querySelector(`h3 a[href="${CSS.escape(wanted.href)}"]`)
      : null;
    const y = link ? scrollY + link.getBoundingClientRect().top - wanted.top : wanted.y;
    scrollTo({ top: y, behavior: "instant" });
    if (link instanceof HTMLElement && wanted.opened && document.activeElement !== link) {
      link.focus({ preventScroll: true });
    }
    if (!isWhole) return;
    // Lines may break otherwise in the fonts that are still to come, and a page that was still
    // gliding elsewhere may glide on for a frame.
    document.fonts.ready.then(() => {
      requestAnimationFrame(() => {
        setTimeout(() => {
          if (this.wanted !== wanted) return;
          this.wanted = null;
          if (!link?.isConnected) return;
          const top = link.getBoundingClientRect().top - wanted.top;
          scrollBy({ top, behavior: "instant" });
        });
      });
    });
  }

  later() {
    if (this.wanted) return;
    clearTimeout(this.still);
    this.still = setTimeout(() => this.leave(), STILL);
  }

  /**
   * @param {Element | undefined} link
   * @param {boolean} opened
   */
  keep(link, opened) {
    clearTimeout(this.still);
    const top = link?.getBoundingClientRect().top ?? 0;
    const place = { href: link?.getAttribute("href") ?? "", top, opened, y: scrollY };
    const { place: before } = history.state ?? {};
    if (JSON.stringify(before) === JSON.stringify(place)) return;
    history.replaceState({ ...history.state, place }, "");
  }
}
