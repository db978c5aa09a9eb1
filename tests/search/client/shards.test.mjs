import assert from "node:assert/strict";
import { test } from "node:test";
import { search } from "../../../search/client/search.js";
import { IndexUnavailable, ShardIndex } from "../../../search/client/shards.js";

const MANIFEST = {
    format: 1,
    documents: 1,
    firsts: ["copper"],
    terms: "aaaaaaaa",
    keys: "bbbbbbbb",
    names: "cccccccc",
};
const FILES = {
    "/manifest.json": JSON.stringify(MANIFEST),
    "/terms/aaaaaaaa.txt": "copper\tfBB\n",
    "/keys/bbbbbbbb.txt": "",
    "/names/cccccccc.txt": "dddddddd",
    "/results/dddddddd.json": JSON.stringify([
        [1, "publication:a", "publication", "/a/", "Copper", [], 0, "", 0, "", "current", "public"],
    ]),
};

const serve =
    (files, seen = []) =>
    async (path) => {
        seen.push(path);
        return path in files ? new Response(files[path]) : new Response("", { status: 404 });
    };
const ask = async (fetcher) => {
    const found = await search([new ShardIndex("/", fetcher)], "copper ");
    return found.results(0, 10);
};

test("a query fetches each file once", async () => {
    const seen = [];
    const index = new ShardIndex("/", serve(FILES, seen));
    for (let i = 0; i < 3; i++) {
        const found = await search([index], "copper copper ");
        assert.equal((await found.results(0, 10))[0].title, "Copper");
    }
    assert.equal(new Set(seen).size, seen.length);
});

test("what is missing or damaged is said in words", async () => {
    const cases = [
        [{}, /no search index/],
        [{ ...FILES, "/manifest.json": "{" }, /damaged/],
        [{ ...FILES, "/manifest.json": "null" }, /another version/],
        [{ ...FILES, "/manifest.json": '{"format": 99}' }, /another version/],
        [{ ...FILES, "/terms/aaaaaaaa.txt": undefined }, /damaged/],
        [{ ...FILES, "/terms/aaaaaaaa.txt": "copper\tf!\n" }, /damaged/],
        [{ ...FILES, "/terms/aaaaaaaa.txt": "copper\t@gone\n" }, /damaged/],
        [{ ...FILES, "/results/dddddddd.json": "[]" }, /damaged/],
        [{ ...FILES, "/results/dddddddd.json": "[[1" }, /damaged/],
    ];
    for (const [files, message] of cases) {
        if (files["/terms/aaaaaaaa.txt"] === undefined && "/terms/aaaaaaaa.txt" in files) {
            delete files["/terms/aaaaaaaa.txt"];
            await assert.rejects(ask(serve(files)), /has changed/);
            continue;
        }
        await assert.rejects(ask(serve(files)), (error) => {
            assert.ok(error instanceof IndexUnavailable);
            assert.match(error.message, message);
            return true;
        });
    }
});

test("a network that drops once is tried again, one that stays away is named", async () => {
    let dropped = false;
    const shaky = async (path) => {
        if (!dropped) {
            dropped = true;
            throw new TypeError("network");
        }
        return new Response(FILES[path]);
    };
    assert.equal((await ask(shaky)).length, 1);
    const away = async () => {
        throw new TypeError("network");
    };
    await assert.rejects(ask(away), /offline/);
    await assert.rejects(
        ask(async () => new Response("", { status: 500 })),
        /just now/,
    );
});

test("an index that failed to open can be opened later", async () => {
    let isUp = false;
    const index = new ShardIndex("/", async (path) =>
        isUp ? new Response(FILES[path]) : new Response("", { status: 404 }),
    );
    await assert.rejects(search([index], "copper"));
    isUp = true;
    assert.equal((await search([index], "copper")).total, 1);
});
