/**
 * The list as a file: asked for in pieces, written in the browser. A script of its own, which
 * the page loads when somebody first wants a file.
 *
 * @module
 */

import { MOST_RESULTS as MOST, toRequest } from "./address.js";
import { element } from "./element.js";
import { fileName, FORMATS } from "./formats.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./session.js").Session} Session */

/** @type {any} */ (globalThis).nightpressSave = saveList;

const AT_ONCE = 100;

/**
 * Save the list of a state, up to its first 1,000.
 *
 * @param {Session} session
 * @param {State} state
 * @param {string} ending of the format
 * @param {number} total
 * @param {boolean} complete whether the whole list is meant, not just the best
 * @param {(words: string) => void} say
 */
export async function saveList(session, state, ending, total, complete, say) {
  const format = FORMATS.find((one) => one.ending === ending) ?? FORMATS[0];
  const request = toRequest({ ...state, page: 1 }, { prefix: true, complete });
  const wanted = Math.min(total, MOST);
  const hits = [];
  while (hits.length < wanted) {
    const end = Math.min(hits.length + AT_ONCE, wanted);
    const some = await session.records(request, hits.length, end);
    if (!some.length) break;
    hits.push(...some);
    if (hits.length < wanted) say(`Gathering ${count(hits.length)} of ${count(wanted)} …`);
  }
  const origin = {
    address: location.href,
    site: location.protocol === "file:" ? "" : location.origin,
    name: document.querySelector(".site .name")?.textContent?.trim() ?? "",
    query: state.query,
    total,
  };
  const text = format.write(hits, origin);
  const name = fileName(state.query, format.ending);
  offer(new Blob([text], { type: `${format.type};charset=utf-8` }), name);
  say(summary(hits, format, total, name));
}

/**
 * @param {import("./plain.js").Hit[]} hits
 * @param {import("./formats.js").Format} format
 * @param {number} total
 * @param {string} name
 */
function summary(hits, format, total, name) {
  const written = format.worksOnly
    ? hits.filter((hit) => hit.type === "publication").length
    : hits.length;
  const parts = [`${count(written)} of ${count(total)} saved as ${name}`];
  if (total > MOST) parts.push(`a file holds at most the first ${count(MOST)}`);
  if (written < hits.length) parts.push(`${format.title} is for publications only`);
  return `${parts.join("; ")}.`;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function offer(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name, hidden: "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {number} n */
function count(n) {
  return n.toLocaleString("en-GB");
}
