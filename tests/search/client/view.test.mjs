import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery } from "../../../search/client/search.js";
import {
    byline,
    clampPage,
    describeTotal,
    markWords,
    marksOf,
    pageLinks,
    readState,
    whereabouts,
    writeState,
} from "../../../search/client/view.js";

test("the address holds query and page, and nothing else is believed", () => {
    for (const state of [
        { query: "copper drift", page: 1 },
        { query: "größe & 100 % +<b>", page: 7 },
        { query: '"a" -b', page: 2 },
    ]) {
        assert.deepEqual(readState(writeState(state)), state);
    }
    assert.equal(writeState({ query: " ", page: 3 }), "");
    for (const page of ["0", "-1", "1.5", "x", "1e99", ""]) {
        assert.deepEqual(readState(`?q=a&page=${page}`), { query: "a", page: 1 });
    }
});

test("a query is words, unwanted words and a last word that may go on", () => {
    const cases = [
        ["", [], [], ""],
        ["Copper Drift", ["copper", "drift"], [], "drift"],
        ["copper drift ", ["copper", "drift"], [], ""],
        ["copper copper", ["copper", "copper"], [], "copper"],
        ["copper -noise", ["copper"], ["noise"], ""],
        ["drift of the", ["drift"], [], ""],
        ["what is the", ["what", "is", "the"], [], "the"],
        ["a", ["a"], [], ""],
        ['"copper drift"', ["copper", "drift"], [], ""],
        ["- -- -", [], [], ""],
        ["言語処理", ["言語", "語処", "処理"], [], "処理"],
    ];
    for (const [text, words, unwanted, prefix] of cases) {
        assert.deepEqual(parseQuery(text), { words, unwanted, prefix }, text);
    }
});

test("hostile queries are only words, and few", () => {
    for (const text of [
        "a ".repeat(5000),
        "x".repeat(20000),
        '"'.repeat(10000),
        "\0\x1b[",
        "\ud800",
    ]) {
        assert.ok(parseQuery(text).words.length <= 40);
    }
});

test("words of the query are marked as they stand", () => {
    const marks = (text, words, prefix = "") =>
        markWords(text, words, prefix)
            .map(({ text, marked }) => (marked ? `[${text}]` : text))
            .join("");
    assert.equal(marks("Brzękowicz's drift", ["brzekowicz"]), "[Brzękowicz]'s drift");
    assert.equal(marks("Drifting drift", ["drift"], "drift"), "[Drifting] [drift]");
    assert.equal(marks("<b>drift</b>", ["drift"]), "<b>[drift]</b>");
    assert.equal(marks("", ["drift"]), "");
});

const result = {
    id: "publication:a",
    type: "publication",
    url: "/publications/a/",
    title: "A",
    people: ["A", "B"],
    peopleCount: 2,
    venue: "ACL",
    year: 2019,
    kind: "conference paper",
    status: "current",
    access: "public",
};

test("a result says who, where and what", () => {
    assert.equal(byline(result), "A, B");
    assert.equal(byline({ ...result, peopleCount: 25 }), "A, B and 23 more");
    assert.equal(whereabouts(result), "ACL 2019");
    assert.equal(whereabouts({ ...result, year: 0 }), "ACL");
    assert.equal(whereabouts({ ...result, venue: "" }), "Conference paper, 2019");
    assert.equal(whereabouts({ ...result, type: "person", venue: "", year: 0 }), "Person");
    assert.equal(whereabouts({ ...result, venue: "", year: 0, kind: "" }), "");
    assert.deepEqual(marksOf(result), []);
    assert.deepEqual(
        marksOf({ ...result, status: "retracted", access: "members" }).map((mark) => mark.text),
        ["† Retracted", "§ Members"],
    );
});

test("the status line counts", () => {
    assert.equal(describeTotal({ query: "", page: 1 }, 0), "");
    assert.match(describeTotal({ query: "a", page: 1 }, 0), /Nothing found/);
    assert.equal(describeTotal({ query: "a", page: 1 }, 1), "1 result");
    assert.equal(describeTotal({ query: "a", page: 2 }, 1234), "1,234 results, 21 to 40 shown");
});

test("pages lead to each other and do not run out", () => {
    const pages = (page, total) => pageLinks({ query: "a", page }, total).map((link) => link.rel);
    assert.deepEqual(pages(1, 20), []);
    assert.deepEqual(pages(1, 21), ["next"]);
    assert.deepEqual(pages(2, 41), ["prev", "next"]);
    assert.equal(clampPage(9, 41), 3);
    assert.equal(clampPage(9, 0), 1);
});
