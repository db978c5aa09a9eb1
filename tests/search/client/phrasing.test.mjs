import assert from "node:assert/strict";
import { test } from "node:test";
import {
    announcement,
    byline,
    heading,
    label,
    lastPage,
    marksOf,
    pageLinks,
    valueLabel,
    whereabouts,
    whyText,
    yearsLabel,
} from "../../../search/client/phrasing.js";

const hit = (given) => ({
    type: "publication",
    people: [],
    peopleCount: 0,
    venue: "",
    venueShort: "",
    year: null,
    kind: "",
    status: "current",
    access: "public",
    why: [],
    exact: false,
    ...given,
});
const answer = (given) => ({ total: 0, best: null, words: [], suggestion: null, ...given });
const texts = (links) => links.map((link) => (link.current ? `[${link.text}]` : link.text));

test("the heading says whether all results are counted", () => {
    assert.equal(heading(answer({})), "No results");
    assert.equal(heading(answer({ total: 1 })), "1 result");
    assert.equal(heading(answer({ total: 1204 })), "1,204 results");
    assert.equal(heading(answer({ total: 4000, best: 4000 })), "Best 4,000 results");
});

test("what is read aloud names the page and what was made of the words", () => {
    assert.equal(announcement(answer({ total: 25 }), 2), "25 results, page 2 of 3.");
    const words = [{ word: "coper", corrected: "copper" }];
    assert.equal(announcement(answer({ total: 1, words }), 1), "1 result, “copper” instead of “coper”.");
    assert.equal(
        announcement(answer({ suggestion: "copper drift" }), 1),
        "No results, did you mean copper drift?",
    );
});

test("pages around this one, the first and the last are a step away", () => {
    assert.deepEqual(pageLinks(1, 10), []);
    assert.deepEqual(texts(pageLinks(1, 11)), ["[1–10]", "11", "next 1 →"]);
    assert.deepEqual(texts(pageLinks(5, 800)), [
        "← previous", "1–10", "…", "31–40", "[41–50]", "51–60", "…", "791–800", "next 10 →",
    ]);
    assert.deepEqual(texts(pageLinks(3, 25)), ["← previous", "1–10", "11–20", "[21–25]"]);
});

test("pages end where the engine stops to order", () => {
    assert.equal(lastPage(54_321), 100);
    assert.deepEqual(texts(pageLinks(100, 54_321)), ["← previous", "1–10", "…", "981–990", "[991–1,000]"]);
});

test("many authors are counted, and names of another direction keep their place", () => {
    assert.equal(byline(hit({ people: ["A B", "C D"], peopleCount: 293 })), "A B, C D and 291 more");
    assert.equal(byline(hit({ people: ["هالة"], peopleCount: 1 })), "\u2068هالة\u2069");
    assert.equal(byline(hit({})), "");
});

test("a work says where it appeared, another record what it is", () => {
    assert.equal(whereabouts(hit({ venue: "Symposium", venueShort: "SIPR", year: 2026 })), "SIPR\u00a02026");
    assert.equal(whereabouts(hit({ kind: "report", year: 2020 })), "Report, 2020");
    assert.equal(whereabouts(hit({ type: "person" })), "");
    assert.deepEqual(label(hit({ kind: "conference paper", year: 2026 })), ["2026", "Conference paper"]);
    assert.deepEqual(label(hit({ type: "person", kind: "x" })), ["Person"]);
});

test("marks carry a sign and a word", () => {
    assert.deepEqual(marksOf(hit({ status: "retracted", access: "members" })), [
        { cls: "retracted", text: "† Retracted" },
        { cls: "members", text: "§ Members" },
    ]);
    assert.deepEqual(marksOf(hit({})), []);
});

test("why a result is there: where the words stand, and which are missing", () => {
    const words = [{ word: "copper" }, { word: "drift" }];
    const why = [{ field: "title", words: ["copper"] }, { field: "people", words: ["copper"] }];
    assert.equal(whyText(hit({ why }), words, true), "found in title and authors; without “drift”");
    const form = [{ field: "title", words: ["drifts"] }, { field: "abstract", words: ["copper"] }];
    assert.equal(whyText(hit({ why: form }), words, true), "found in title and abstract");
    const both = [{ field: "abstract", words: ["copper", "drift"] }];
    assert.equal(whyText(hit({ why: both }), words, true), "found in abstract");
    assert.equal(
        whyText(hit({ why: both, status: "retracted" }), words, true),
        "found in abstract; ranked lower because retracted",
    );
    const doi = [{ field: "doi", words: [] }];
    assert.equal(whyText(hit({ why: doi, exact: true }), words, true), "exactly its DOI");
    assert.equal(whyText(hit({}), [], true), "");
    assert.equal(whyText(hit({}), words, false), "");
    assert.equal(whyText(hit({}), words, true), "found elsewhere in its record");
});

test("values and years are named for readers", () => {
    assert.equal(valueLabel("access", "abstract"), "Full text for members");
    assert.equal(valueLabel("type", "person"), "Person");
    assert.equal(valueLabel("kind", "conference paper"), "Conference paper");
    assert.equal(valueLabel("venue", "v1", "SIPR"), "SIPR");
    assert.equal(valueLabel("venue", "v1"), "v1");
    assert.equal(yearsLabel([2015, 2026]), "2015–2026");
    assert.equal(yearsLabel([2015, 2015]), "2015");
    assert.equal(yearsLabel([null, 1999]), "until 1999");
    assert.equal(yearsLabel([1999, null]), "since 1999");
});
