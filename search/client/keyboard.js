/**
 * The keyboard: `/` goes to the field, arrows through field and results, Escape goes back.
 *
 * @module
 */

const KEYS = new Set(["/", "Escape", "ArrowDown", "ArrowUp", "Home", "End"]);

/**
 * @param {HTMLInputElement} field
 * @param {() => HTMLElement[]} stops where arrows lead from the field, in order
 */
export function listenToKeys(field, stops) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.isComposing || !KEYS.has(event.key)) return;
    const focused = document.activeElement;
    const all = [field, ...stops()];
    const at = all.indexOf(/** @type {HTMLElement} */ (focused));
    /** @type {HTMLElement | undefined} */
    let target;
    if (event.key === "/" && !isWriting(focused)) target = field;
    else if (event.key === "Escape" && at > 0) target = field;
    else if (event.key === "ArrowDown" && at >= 0) target = all[at + 1];
    else if (event.key === "ArrowUp" && at > 0) target = all[at - 1];
    else if (event.key === "Home" && at > 0) target = all[1];
    else if (event.key === "End" && at > 0) target = all[all.length - 1];
    if (!target) return;
    event.preventDefault();
    target.focus();
    if (target === field && event.key !== "ArrowUp") field.select();
  });
}

/** @param {Element | null} focused */
function isWriting(focused) {
  return (
    focused instanceof HTMLInputElement ||
    focused instanceof HTMLTextAreaElement ||
    focused instanceof HTMLSelectElement ||
    (focused instanceof HTMLElement && focused.isContentEditable)
  );
}
