// Answers each query with a new engine, and tells what was fetched one wave after the other:
// all that is asked for before anything arrives. JSON on standard input and output.

import { readFileSync } from "node:fs";
import { openEngine } from "../../../search/client/engine.js";
import { folderStore } from "../../../search/node/store.mjs";

const QUIET = 40;
/** The facets that are counted for every list, as in search/client/facets.js. */
const QUICK = ["year", "type", "kind", "access"];

/** @param {string} folder */
function inWaves(folder) {
  const store = folderStore(folder);
  /** @type {string[][]} */
  const waves = [];
  /** @type {{go: () => void, path: string}[]} */
  let waiting = [];
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const arrive = () => {
    waves.push(waiting.map(({ path }) => path));
    const all = waiting;
    waiting = [];
    for (const { go } of all) go();
  };
  return {
    waves,
    /** @param {string} path */
    fetchBytes(path) {
      clearTimeout(timer);
      // Nothing arrives as long as more is asked for.
      timer = setTimeout(arrive, QUIET);
      return new Promise((resolve) => {
        waiting.push({ path, go: () => resolve(undefined) });
      }).then(() => store.fetchBytes(path));
    },
  };
}

const { folder, queries } = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const query of queries) {
  const store = inWaves(folder);
  const engine = await openEngine([store]);
  const { total, words } = await engine.search({ query, prefix: true, snippets: false });
  const known = words.every((word) => word.known);
  const waves = store.waves.splice(0);
  await engine.search({ query, prefix: true, limit: 0, facets: QUICK });
  answers.push({ query, total, known, waves, counting: store.waves });
}
process.stdout.write(JSON.stringify(answers));
