/**
 * How many bytes and requests a reader's queries cost, counted as a server with compressed
 * siblings sends them: each file as Brotli where that is smaller, parts of files as they are.
 *
 *     node search_bytes.mjs SHARDS QUERIES    a line of JSON for each query
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { openEngine } from "../search/client/engine.js";
import { folderStore } from "../search/node/store.mjs";

const [folder, queries] = process.argv.slice(2);
const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
const sizes = new Map();

function sent(path) {
  if (!sizes.has(path)) {
    const content = readFileSync(join(folder, path));
    sizes.set(path, Math.min(content.length, brotliCompressSync(content, options).length));
  }
  return sizes.get(path);
}

function counting() {
  const store = folderStore(folder);
  const count = { bytes: 0, requests: 0, depth: 0, by: {} };
  let wave = null;
  const note = (path, bytes) => {
    const kind = path.includes("/") ? path.split("/")[1] : path;
    count.bytes += bytes;
    count.requests++;
    count.by[kind] = (count.by[kind] ?? 0) + bytes;
    // All that is asked for before anything arrives is one wave.
    wave ??= new Promise((resolve) => setTimeout(resolve, 20)).then(() => {
      wave = null;
    });
    if (!wave.counted) {
      wave.counted = true;
      count.depth++;
    }
    return wave;
  };
  return {
    count,
    fetchBytes: (path) => note(path, sent(path)).then(() => store.fetchBytes(path)),
    fetchRange: (path, from, to) => note(path, to - from).then(() => store.fetchRange(path, from, to)),
  };
}

const warm = counting();
const engine = await openEngine([warm]);
await engine.search({ query: "a", limit: 0, snippets: false });
for (const query of readFileSync(queries, "utf8").split("\n").filter(Boolean)) {
  const cold = counting();
  const fresh = await openEngine([cold]);
  const request = { query, prefix: true, limit: 10, snippets: false };
  const answer = await fresh.search(request);
  const first = { ...cold.count, by: { ...cold.count.by } };
  await fresh.addSnippets(answer.hits);
  const before = warm.count.bytes;
  await engine.addSnippets((await engine.search(request)).hits);
  process.stdout.write(
    `${JSON.stringify({
      query,
      first: first.bytes,
      depth: first.depth,
      requests: first.requests,
      by: first.by,
      snippets: cold.count.bytes - first.bytes,
      next: warm.count.bytes - before,
      total: answer.total,
    })}\n`,
  );
}
