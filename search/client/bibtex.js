/**
 * Publications as BibTeX that LaTeX takes as it is, each under a key of its own.
 *
 * @module
 */

import { divideName } from "./names.js";
import { absolute, onOneLine, recordId } from "./plain.js";

/** @typedef {import("./plain.js").Hit} Hit */

/** @type {[RegExp, string, string][]} kind of publication, type of entry, field of the venue */
const TYPES = [
  [/chapter/i, "incollection", "booktitle"],
  [/proceedings/i, "proceedings", "series"],
  [/conference|workshop|paper|talk|poster/i, "inproceedings", "booktitle"],
  [/master/i, "mastersthesis", "school"],
  [/thesis|dissertation/i, "phdthesis", "school"],
  [/journal|article/i, "article", "journal"],
  [/report|deliverable|white ?paper/i, "techreport", "institution"],
  [/book/i, "book", "series"],
];

/** @type {Record<string, string>} */
const ESCAPES = {
  "\\": "\\textbackslash{}",
  // BibTeX counts braces, escaped or not.
  "{": "\\textbraceleft{}",
  "}": "\\textbraceright{}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "''",
};

/** @type {Record<string, string>} letters that do not decompose */
const PLAIN = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };
const SMALL = /^(?:a|an|the|on|in|of|for|and|to|from|with|at|by|der|die|das|le|la|les|un|une|el)$/;

/**
 * @param {Hit[]} hits
 * @param {{site: string}} origin
 */
export function toBibtex(hits, { site }) {
  const keys = new Set();
  return hits
    .filter((hit) => hit.type === "publication")
    .map((hit) => entry(hit, uniqueKey(hit, keys), site))
    .join("\n");
}

/**
 * @param {Hit} hit
 * @param {string} key
 * @param {string} site
 */
function entry(hit, key, site) {
  const [, type, place] = TYPES.find(([pattern]) => pattern.test(hit.kind)) ?? [
    /./,
    "misc",
    "howpublished",
  ];
  const people = hit.people.map(person).filter(Boolean);
  if (hit.peopleCount > hit.people.length) people.push("others");
  /** @type {[string, string][]} */
  const fields = [
    // Inner braces keep the capitals of the title.
    ["title", `{${escaped(hit.title)}}`],
    ["author", people.join(" and ")],
    [place, escaped(hit.venue)],
    ["year", hit.year ? String(hit.year) : ""],
    ["pages", escaped(hit.pages).replace(/\s*[–—-]+\s*/gu, "--")],
    ["doi", escapedForUrl(hit.doi)],
    ["url", escapedForUrl(absolute(hit, site))],
    ["note", hit.status === "retracted" ? "Retracted" : ""],
  ];
  const lines = fields.filter(([, value]) => value && value !== "{}");
  return `@${type}{${key},\n${lines.map(([name, value]) => `  ${name} = {${value}},\n`).join("")}}\n`;
}

/** @param {string} printed */
function person(printed) {
  const { family, given, suffix } = divideName(onOneLine(printed));
  // A name that is not divided, or that holds "and", is one unit in braces.
  if (!given) return family && `{${escaped(family)}}`;
  const parts = [family, suffix, given].filter(Boolean).map((part) => {
    const text = escaped(part).replaceAll(",", "{,}");
    return /\band\b/i.test(part) ? `{${text}}` : text;
  });
  return parts.join(", ");
}

/**
 * Family name, year and first telling word; letters after them where that was taken.
 *
 * @param {Hit} hit
 * @param {Set<string>} taken
 */
function uniqueKey(hit, taken) {
  const family = hit.people.length ? ascii(divideName(hit.people[0]).family) : "";
  const words = hit.title.split(/[\s\p{Pd}/]+/u).map(ascii);
  const word = words.find((text) => text && !SMALL.test(text)) ?? "";
  const base = `${family}${hit.year || ""}${word}` || ascii(recordId(hit)) || "work";
  let key = base;
  for (let n = 0; taken.has(key); n++) key = `${base}-${letters(n)}`;
  taken.add(key);
  return key;
}

/** @param {string} text */
function ascii(text) {
  return text
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => PLAIN[letter])
    .normalize("NFKD")
    .replace(/[^a-z0-9]/g, "")
    .slice(0, 40);
}

/** @param {number} n */
function letters(n) {
  let text = "";
  for (let rest = n; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    text = String.fromCharCode(97 + (rest % 26)) + text;
  }
  return text;
}

/** @param {unknown} value */
function escaped(value) {
  return onOneLine(value).replace(/[\\{}$&#%_~^<>|"]/g, (sign) => ESCAPES[sign]);
}

/**
 * Packages that print DOIs and URLs take every sign but unbalanced braces and backslashes.
 *
 * @param {unknown} value
 */
function escapedForUrl(value) {
  return onOneLine(value)
    .replace(/[\\{}"\s<>^`|]/g, (sign) => encodeURIComponent(sign))
    .replaceAll("%", "\\%");
}
