import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName } from "../../../search/client/formats.js";
import { divideName, familyFirst } from "../../../search/client/names.js";

test("names are divided where that is safe", () => {
    const cases = [
        ["Ada Lovelace", "Lovelace", "Ada", ""],
        ["Ludwig van Beethoven", "van Beethoven", "Ludwig", ""],
        ["Maria de la Cruz", "de la Cruz", "Maria", ""],
        ["Van Morrison", "Morrison", "Van", ""],
        ["Martin Luther King Jr.", "King", "Martin Luther", "Jr."],
        ["King, Jr.", "King", "", "Jr."],
        ["Lovelace, Ada", "Lovelace", "Ada", ""],
        ["Ylva Sørgaard-Teixeira", "Sørgaard-Teixeira", "Ylva", ""],
        ["沈若溪", "沈若溪", "", ""],
        ["هالة السرياني", "هالة السرياني", "", ""],
        ["Plato", "Plato", "", ""],
        ["  Ada \n Lovelace ", "Lovelace", "Ada", ""],
        ["", "", "", ""],
    ];
    for (const [printed, family, given, suffix] of cases) {
        assert.deepEqual(divideName(printed), { family, given, suffix }, printed);
    }
    assert.equal(familyFirst("Martin Luther King Jr."), "King, Martin Luther, Jr.");
});

test("a file is named after the query", () => {
    assert.equal(fileName("Größe & “copper”", "bib"), "gro-e-copper.bib");
    assert.equal(fileName("自然言語", "csv"), "search.csv");
    assert.equal(fileName("../../etc/passwd", "csv"), "etc-passwd.csv");
    assert.ok(fileName("a".repeat(10_000), "ris").length < 70);
});
