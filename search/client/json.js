/**
 * Results as JSON: what the list shows, and where it comes from.
 *
 * @module
 */

import { absolute, onOneLine, recordId } from "./plain.js";

/** @typedef {import("./plain.js").Hit} Hit */

/**
 * @param {Hit[]} hits
 * @param {import("./formats.js").Origin} origin
 */
export function toJson(hits, { address, site, name, query, total }) {
  const results = hits.map((hit) => ({
    id: recordId(hit),
    type: hit.type,
    kind: hit.kind || undefined,
    title: onOneLine(hit.title),
    people: hit.people.map(onOneLine),
    people_count: hit.peopleCount,
    venue: hit.venue ? onOneLine(hit.venue) : undefined,
    year: hit.year || undefined,
    pages: hit.pages || undefined,
    doi: hit.doi || undefined,
    status: hit.status || "current",
    access: hit.access || "public",
    url: absolute(hit, site),
  }));
  const source = { site: name, address, query, total };
  return `${JSON.stringify({ source, results }, null, 2)}\n`;
}
