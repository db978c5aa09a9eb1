// Answers queries with the client's own code from folders of shards.
// Reads {"folders": […], "queries": […], "limit": n}, writes for each query the total, the
// ids found and the bytes of the files that a browser without a cache would fetch for it.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { search } from "../../../search/client/search.js";
import { ShardIndex } from "../../../search/client/shards.js";

const { folders, queries, limit = 10 } = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const query of queries) {
    const fetched = [];
    const indexes = folders.map((folder) => new ShardIndex(`${folder}/`, fetcher(fetched)));
    const found = await search(indexes, query);
    const results = await found.results(0, limit);
    answers.push({
        total: found.total,
        ids: results.map((result) => result.id),
        titles: results.map((result) => result.title),
        files: fetched.length,
        bytes: fetched.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0),
    });
}
process.stdout.write(JSON.stringify(answers));

function fetcher(fetched) {
    return async (path) => {
        try {
            const bytes = await readFile(path);
            fetched.push(bytes);
            return new Response(bytes);
        } catch {
            return new Response("", { status: 404 });
        }
    };
}
