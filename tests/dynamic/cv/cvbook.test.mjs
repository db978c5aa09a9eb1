// The sieve of the CV book: what passes, and what an address means.
import assert from "node:assert/strict";
import test from "node:test";

import { chosenIn, passes, searchFor } from "../../../theme/static/js/cvbook.js";

const filters = [
  { name: "degree", heading: "Degree", values: [{ key: "master", text: "Master" }] },
  { name: "topic", heading: "Topic", values: [{ key: "chip-cooling", text: "Chip cooling" }] },
];

test("a CV passes if it has all that is chosen", () => {
  const keys = { degree: ["master"], topic: ["chip-cooling", "metrology"] };
  assert.ok(passes(keys, new Map()));
  assert.ok(passes(keys, new Map([["degree", "master"], ["topic", "metrology"]])));
  assert.ok(!passes(keys, new Map([["degree", "master"], ["topic", "optics"]])));
  assert.ok(!passes({}, new Map([["topic", "optics"]])));
});

test("an address says what was chosen, and nothing that does not exist", () => {
  const chosen = chosenIn("?topic=chip-cooling&degree=none&x=y", filters);
  assert.deepEqual([...chosen], [["topic", "chip-cooling"]]);
  assert.equal(searchFor(chosen), "?topic=chip-cooling");
  assert.equal(searchFor(new Map()), "");
});
