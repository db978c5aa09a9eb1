/**
 * The search page's script: finds its parts and starts.
 *
 * @module
 */

import { SearchPage } from "./page.js";
import { pathOf } from "./plain.js";
import { startEngine } from "./remote.js";
import { Session } from "./session.js";

// Says only that someone signed in, so that members' records are asked for at all; the
// server decides who gets them.
const SIGNED_IN = /(?:^|;\s*)nightpress-members=1(?:;|$)/;

const find = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
// This script comes when it comes, before the page has been read or after.
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();

function begin() {
  const script = /** @type {HTMLElement | null} */ (document.querySelector("script[data-index]"));
  const field = find("q");
  if (script && field?.form) start(script.dataset, field);
}

/**
 * @param {DOMStringMap} given the script's own attributes
 * @param {HTMLInputElement} field
 */
function start(given, field) {
  const isFile = location.protocol === "file:";
  const isMember = SIGNED_IN.test(document.cookie);
  const places = {
    index: given.index ?? "/search-index/",
    members: isMember || isFile ? (given.members ?? null) : null,
    withdrawn: isFile ? null : (given.withdrawn ?? null),
    scripts: isFile,
  };
  const call = startEngine(given.engine ?? "", !isFile);
  const session = new Session(places, call, { onWithdrawn: () => page.refresh() });
  const page = new SearchPage(
    {
      form: /** @type {HTMLFormElement} */ (field.form),
      field,
      tools: find("search-tools"),
      facets: find("search-facets"),
      narrow: find("search-narrow"),
      results: find("results"),
      heading: find("search-count"),
      says: find("search-says"),
      list: find("search-results"),
      more: find("search-more"),
      status: find("search-status"),
      browse: find("browse"),
    },
    session,
    isFile ? fromFolder(given.root ?? "..") : pathOf,
    given.saving ?? "",
  );
  page.start();
  // A page that the browser kept may be older than a sign-out or a withdrawal.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    if (SIGNED_IN.test(document.cookie) !== isMember) location.reload();
    else session.knowWithdrawn().catch(() => {});
  });
}

/**
 * Where URLs lead when the site lies in a folder: every page is a file.
 *
 * @param {string} root the folder of the public tree, from this page
 * @returns {(hit: import("./engine.js").Hit) => string}
 */
function fromFolder(root) {
  return (hit) => {
    const inTree = hit.access === "members" ? `${root}/../members` : root;
    const { url } = hit;
    const path = url.split("/").filter(Boolean).join("/");
    if (!url.endsWith("/")) return `${inTree}/${path}`;
    if (!path) return `${inTree}/index.html`;
    return `${inTree}/${path}${path.includes("/") ? ".html" : "/index.html"}`;
  };
}
