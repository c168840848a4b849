import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHours, parseLeg, slugify } from "../src/format.js";

test("hours and minutes", () => {
  assert.equal(formatHours(1.5), "1 h 30 min");
});

test("slug", () => {
  assert.equal(slugify("  Two Lakes Walk "), "two-lakes-walk");
});

test("a leg", () => {
  assert.deepEqual(parseLeg("north: 4.5"), { name: "north", distance: 4.5 });
});
