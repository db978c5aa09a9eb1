// A static page does not know its reader. Apache leaves a hint, which opens nothing, with those
// whom it lets read the members' pages; the sheet then shows them their links. This runs before
// the page is drawn, so that nothing jumps.

if (/(?:^|;\s*)nightpress-members=1(?:;|$)/.test(document.cookie)) {
  document.documentElement.classList.add("reader-in");
}
document.addEventListener("DOMContentLoaded", () => {
  const link = document.getElementById("sign-in");
  // Back to this page after signing in.
  if (link instanceof HTMLAnchorElement) link.search = `?to=${location.pathname}`;
});
