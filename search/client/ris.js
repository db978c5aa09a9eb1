/**
 * Publications as RIS, which every citation manager reads.
 *
 * @module
 */

import { familyFirst } from "./names.js";
import { absolute, onOneLine, recordId } from "./plain.js";

/** @typedef {import("./plain.js").Hit} Hit */

/** @type {[RegExp, string][]} what a kind of publication says, and its type in RIS */
const TYPES = [
  [/chapter/i, "CHAP"],
  [/proceedings/i, "CONF"],
  [/conference|workshop|paper|talk|poster/i, "CPAPER"],
  [/thesis|dissertation/i, "THES"],
  [/journal|article/i, "JOUR"],
  [/report|deliverable|white ?paper/i, "RPRT"],
  [/preprint/i, "UNPB"],
  [/data/i, "DATA"],
  [/software|code/i, "COMP"],
  [/patent/i, "PAT"],
  [/book/i, "BOOK"],
  [/standard/i, "STAND"],
];

/**
 * @param {Hit[]} hits
 * @param {{site: string}} origin
 */
export function toRis(hits, { site }) {
  return hits
    .filter((hit) => hit.type === "publication")
    .map((hit) => record(hit, site))
    .join("");
}

/**
 * @param {Hit} hit
 * @param {string} site
 */
function record(hit, site) {
  const type = TYPES.find(([pattern]) => pattern.test(hit.kind))?.[1] ?? "GEN";
  /** @type {[string, unknown][]} */
  const lines = [["TY", type]];
  for (const name of hit.people) lines.push(["AU", familyFirst(onOneLine(name))]);
  if (hit.peopleCount > hit.people.length) lines.push(["AU", "et al."]);
  lines.push(["TI", hit.title], ["T2", hit.venue], ["J2", hit.venueShort], ["PY", hit.year || ""]);
  const pages = /^\s*([^\s–-]+)\s*[–-]+\s*([^\s–-]+)\s*$/u.exec(hit.pages ?? "");
  if (pages) lines.push(["SP", pages[1]], ["EP", pages[2]]);
  else lines.push(["SP", hit.pages]);
  lines.push(["DO", hit.doi], ["UR", absolute(hit, site)], ["ID", recordId(hit)]);
  if (hit.status === "retracted") lines.push(["N1", "Retracted"]);
  lines.push(["ER", ""]);
  return lines
    .map(([tag, value]) => [tag, onOneLine(value)])
    .filter(([tag, text]) => text || tag === "ER")
    .map(([tag, text]) => `${tag}  - ${text}\r\n`)
    .join("");
}
