// The search field of every page: `/` leads to it from anywhere, and while a reader types
// there, the search page's scripts come.
const field = /** @type {HTMLInputElement | null} */ (document.querySelector("#find-q, .ask #q"));
const script = /** @type {HTMLElement | null} */ (document.querySelector("script[data-then]"));

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.defaultPrevented || event.isComposing) return;
  const focused = document.activeElement;
  if (focused?.matches("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  if (field?.checkVisibility()) {
    field.focus();
    field.select();
  } else {
    /** @type {HTMLAnchorElement | null} */ (document.querySelector(".tofind a"))?.click();
  }
});

field?.addEventListener(
  "focus",
  () => {
    for (const address of (script?.dataset.then ?? "").split(" ").filter(Boolean)) {
      const link = document.createElement("link");
      link.rel = "prefetch";
      link.as = "script";
      link.href = address;
      document.head.append(link);
    }
  },
  { once: true },
);
