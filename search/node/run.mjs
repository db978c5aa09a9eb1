/**
 * Answers queries with the client's own code: a line of JSON on standard output for each,
 * `[query id, [document ids]]`, best first.
 *
 *     node run.mjs INDEX QUERIES DEPTH
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { openEngine } from "../client/engine.js";
import { folderStore } from "./store.mjs";

const [folder, queries, depth] = process.argv.slice(2);
const engine = await openEngine([folderStore(folder)]);
for await (const line of createInterface({ input: createReadStream(queries) })) {
  if (!line) continue;
  const [id, query] = JSON.parse(line);
  const hits = await engine.records({ query, prefix: true }, 0, Number(depth));
  process.stdout.write(`${JSON.stringify([id, hits.map((hit) => hit.id)])}\n`);
}
