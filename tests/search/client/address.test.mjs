import assert from "node:assert/strict";
import { test } from "node:test";
import {
    asksSomething,
    emptyState,
    readState,
    toggled,
    toRequest,
    withYears,
    writeState,
} from "../../../search/client/address.js";

const state = (given) => ({ ...emptyState(), ...given });

test("what is written into the address is read from it again", () => {
    for (const one of [
        state({ query: "copper drift" }),
        state({ query: "größe & 100 % +<b>\u202e", page: 7 }),
        state({ query: '"a" -b', sort: "oldest", filters: { kind: ["Paper", "R&D report"] } }),
        state({ filters: { venue: ["x=1&y=2"], access: ["members"] }, years: [2015, 2023] }),
        state({ years: [null, 1999] }),
        state({ years: [2001, null] }),
        state({ query: "x", years: [2019, 2019] }),
    ]) {
        assert.deepEqual(readState(writeState(one)), one);
    }
});

test("an address without a question is empty", () => {
    assert.equal(writeState(emptyState()), "");
    assert.equal(writeState(state({ query: "  " })), "");
});

test("nothing in an address is believed", () => {
    for (const page of ["0", "-1", "1.5", "x", "Infinity", ""]) {
        assert.equal(readState(`?q=a&page=${page}`).page, 1);
    }
    assert.equal(readState("?q=a&page=1e99").page, 100);
    for (const year of ["x", "..", "20155", "2015-2016", "-5", "1..2..3", "20151999"]) {
        assert.equal(readState(`?year=${year}`).years, null);
    }
    assert.deepEqual(readState("?year=2020..2010").years, [2010, 2020]);
    assert.equal(readState("?sort=%3Cscript%3E").sort, "relevance");
    assert.equal(readState(`?q=${"a".repeat(20_000)}`).query.length, 10_000);
    const many = Array.from({ length: 200 }, (_, i) => `kind=${i}`).join("&");
    assert.equal(readState(`?${many}`).filters.kind.length, 50);
    assert.deepEqual(readState("?__proto__=x&constructor=y&kind=&kind=a&kind=a").filters, {
        kind: ["a"],
    });
});

test("a chosen value is taken off by choosing it again, and the first page comes back", () => {
    const one = toggled(state({ page: 4 }), "kind", "Paper");
    assert.deepEqual(one.filters, { kind: ["Paper"] });
    assert.equal(one.page, 1);
    const two = toggled(one, "kind", "Report");
    assert.deepEqual(two.filters, { kind: ["Paper", "Report"] });
    assert.deepEqual(toggled(toggled(two, "kind", "Paper"), "kind", "Report").filters, {});
    assert.deepEqual(one.filters, { kind: ["Paper"] });
});

test("years come in order, and none means no limit", () => {
    assert.deepEqual(withYears(emptyState(), 2020, 2010).years, [2010, 2020]);
    assert.equal(withYears(state({ years: [1, 2] }), null, null).years, null);
});

test("without words the newest come first", () => {
    assert.equal(toRequest(emptyState()).sort, "newest");
    assert.equal(toRequest(state({ query: "a" })).sort, "relevance");
    const request = toRequest(state({ query: "a", years: [2000, null], page: 3 }), { prefix: true });
    assert.deepEqual(request.filters, { year: [2000, null] });
    assert.equal(request.offset, 20);
    assert.equal(request.prefix, true);
});

test("words, filters and an order ask for a list", () => {
    assert.equal(asksSomething(emptyState()), false);
    assert.equal(asksSomething(state({ query: " " })), false);
    assert.equal(asksSomething(state({ filters: { kind: ["a"] } })), true);
    assert.equal(asksSomething(state({ years: [null, 3] })), true);
    assert.equal(asksSomething(state({ sort: "newest" })), true);
});
