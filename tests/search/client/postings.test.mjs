import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeNumbers, decodePostings } from "../../../search/client/postings.js";

test("postings are read with their impact", () => {
    assert.deepEqual(decodePostings(""), new Map());
    // Impact 31, two documents, 1 and 3; impact 0, one document, 32.
    assert.deepEqual(
        decodePostings("fCBC"),
        new Map([
            [1, 31],
            [3, 31],
        ]),
    );
    assert.deepEqual(
        decodePostings("fCBCABgB"),
        new Map([
            [1, 31],
            [3, 31],
            [32, 0],
        ]),
    );
});

test("numbers of any size are read", () => {
    assert.deepEqual(decodeNumbers(""), []);
    assert.deepEqual(decodeNumbers("A"), [0]);
    assert.deepEqual(decodeNumbers("fgB"), [31, 63]);
    assert.deepEqual(decodeNumbers("____B"), [2 ** 21 - 1]);
});

test("damaged lists are refused", () => {
    for (const text of ["!", "f", "fB", "fBg", "fC!", "fCB"]) {
        assert.throws(() => decodePostings(text), RangeError, text);
    }
});
