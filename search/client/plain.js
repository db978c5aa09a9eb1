/**
 * What the formats of export share: text without control characters, absolute links.
 *
 * @module
 */

/** @typedef {import("./engine.js").Hit & {pages?: string}} Hit */

/**
 * A text on one line, without control and direction characters.
 *
 * @param {unknown} value
 */
export function onOneLine(value) {
  return String(value ?? "")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\u202a-\u202e\u2066-\u2069\ufeff]/gu, "")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
    .replace(/ {2,}/g, " ")
    .trim();
}

/**
 * The path of a result's page: what only members see stands in their own tree.
 *
 * @param {Hit} hit
 */
export function pathOf({ url, access }) {
  return access === "members" ? `/members${url}` : url;
}

/**
 * @param {Hit} hit
 * @param {string} site
 */
export function absolute(hit, site) {
  return site + pathOf(hit);
}

/**
 * The id without its type.
 *
 * @param {Hit} hit
 */
export function recordId(hit) {
  return hit.id.slice(hit.id.indexOf(":") + 1);
}
