import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { Route, climbTime, duration, totalDistance } from "../src/route.js";

test("duration divides distance by speed", () => {
  assert.equal(duration(9), 2);
});

test("climb time", () => {
  assert.equal(climbTime(300), 0.5);
});

test("total distance adds all legs", () => {
  assert.equal(totalDistance([{ distance: 3 }, { distance: 4 }]), 7);
});

describe("Route", () => {
  it("keeps its last stop", () => {
    const route = new Route("lakes");
    route.addStop("north");
    route.addStop("south");
    assert.equal(route.last(), "south");
  });
});
