import assert from "node:assert/strict";
import { test } from "node:test";
import { packingList, totalWeight, waterNeeded } from "../src/packing.js";

test("water for nine kilometres", () => {
  assert.equal(waterNeeded(9), 1);
});

test("a tent only for several days", () => {
  assert.deepEqual(packingList(1, false), ["map", "water"]);
  assert.deepEqual(packingList(2, true), ["map", "water", "tent", "jacket"]);
});

test("total weight", () => {
  assert.equal(totalWeight([{ weight: 2 }, { weight: 3 }]), 5);
});
