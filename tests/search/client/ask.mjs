// Answers requests with the browsers' engine: JSON on standard input and output.

import { readFileSync } from "node:fs";
import { EngineError } from "../../../search/client/errors.js";
import { openEngine } from "../../../search/client/engine.js";
import { folderStore } from "../../../search/node/store.mjs";

const given = JSON.parse(readFileSync(0, "utf8"));
/** @type {string[]} */
let fetched = [];
let depth = 0;

// Counts files and how many had to be fetched one after the other.
function counting(folder) {
    const store = folderStore(folder);
    let waves = Promise.resolve();
    let inWave = false;
    const count = (path) => {
        fetched.push(path);
        if (!inWave) {
            inWave = true;
            depth++;
            waves = new Promise((resolve) => setTimeout(resolve, 15)).then(() => {
                inWave = false;
            });
        }
        return waves;
    };
    return {
        fetchBytes: (path) => count(path).then(() => store.fetchBytes(path)),
        fetchRange: (path, from, to) => count(path).then(() => store.fetchRange(path, from, to)),
    };
}

const answers = [];
try {
    const stores = given.folders.map(given.counting ? counting : folderStore);
    const engine = await openEngine(stores, { withdrawn: new Set(given.withdrawn ?? []) });
    for (const request of given.requests) {
        try {
            const answer = await engine.search(request);
            answers.push({ ...answer, fetched, depth });
        } catch (error) {
            if (!(error instanceof EngineError)) throw error;
            answers.push({ error: error.kind, words: error.message });
        }
        fetched = [];
        depth = 0;
    }
} catch (error) {
    if (!(error instanceof EngineError)) throw error;
    answers.push({ error: error.kind, words: error.message });
}
process.stdout.write(JSON.stringify(answers));
