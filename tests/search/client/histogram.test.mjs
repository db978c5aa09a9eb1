import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped } from "../../../search/client/histogram.js";

test("each year has its bar, empty ones too", () => {
    assert.deepEqual(
        grouped([{ year: 2019, count: 3 }, { year: 2022, count: 1 }]).map((g) => [g.first, g.count]),
        [[2019, 3], [2020, 0], [2021, 0], [2022, 1]],
    );
});

test("many years share bars, and no result is lost", () => {
    const years = Array.from({ length: 400 }, (_, i) => ({ year: 1627 + i, count: 2 }));
    const groups = grouped(years);
    assert.ok(groups.length <= 72);
    assert.equal(groups.reduce((sum, group) => sum + group.count, 0), 800);
    assert.equal(groups[0].first, 1627);
    assert.equal(groups.at(-1).last, 2026);
    for (let i = 1; i < groups.length; i++) assert.equal(groups[i].first, groups[i - 1].last + 1);
});
