/**
 * What a list shows of a document.
 *
 * @module
 */

import { inflateAfter, jsonOf, textOf } from "./bytes.js";
import { EngineError } from "./errors.js";
import { PHRASES } from "./phrases.js";

/** @typedef {import("./segment.js").Segment} Segment */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} type
 * @property {string} url
 * @property {string} title
 * @property {string[]} people
 * @property {number} peopleCount
 * @property {string} venue
 * @property {string} venueShort
 * @property {number | null} year
 * @property {string} kind
 * @property {string} doi
 * @property {string} status
 * @property {string} access
 * @property {number[] | null} abstract pack, start and length
 */

const utf8 = new TextEncoder();
/** So much of its title an abstract may repeat. */
const TITLE_BYTES = 500;

/** @type {Record<string, string>} */
const URLS = {
  publication: "/publications/",
  person: "/people/",
  project: "/projects/",
  event: "/events/",
  venue: "/venues/",
  topic: "/topics/",
  institution: "/institutions/",
};

/**
 * @param {Segment} segment
 * @param {number} number
 * @returns {Promise<Row>}
 */
export async function readRow(segment, number) {
  const { chunk, place } = addressOf(segment, number);
  const rows = await segment.read(`d/${chunk}.bin`, jsonOf);
  const [count, ...columns] = rows;
  if (place >= count) throw new EngineError("damaged");
  const values = columns.map((/** @type {any} */ column) =>
    Array.isArray(column) ? column[place] : column.all,
  );
  const [record, type, url, title, people, peopleCount, venue, venueShort, year, ...rest] = values;
  const [kind, doi, status, access, abstract] = rest;
  return {
    id: typeof record === "string" ? `${type}:${record}` : record[0],
    type,
    url: url || `${URLS[type] ?? ""}${record}/`,
    title,
    people,
    peopleCount,
    venue,
    venueShort,
    year: year || null,
    kind,
    doi,
    status,
    access,
    abstract: abstract || null,
  };
}

/**
 * The abstract of a row; empty if there is none.
 *
 * @param {Segment} segment
 * @param {Row} row
 * @returns {Promise<string>}
 */
export async function readAbstract(segment, { abstract, title }) {
  if (!abstract) return "";
  const [pack, start, length] = abstract;
  const path = `${segment.folderOf(`a/${pack}.bin`)}/a/${pack}.bin`;
  return segment.files.readPart(path, start, start + length, async (bytes) => {
    const said = utf8.encode(title).subarray(0, TITLE_BYTES);
    return textOf(await inflateAfter(Uint8Array.of(...utf8.encode(PHRASES), ...said), bytes));
  });
}

/**
 * @param {Segment} segment
 * @param {number} number
 */
function addressOf({ chunks }, number) {
  let chunk = 0;
  for (let i = 0; i < chunks.length; i++) {
    const [start, size] = chunks[i];
    const end = chunks[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (number < end) {
      return { chunk: chunk + Math.floor((number - start) / size), place: (number - start) % size };
    }
    chunk += Math.ceil((end - start) / size);
  }
  throw new EngineError("damaged");
}
