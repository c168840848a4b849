// What to pack for a trip.
import { duration } from "./route.js";

const LITRES_PER_HOUR = 0.5;

export function waterNeeded(distance) {
  return duration(distance) * LITRES_PER_HOUR;
}

export function packingList(days, cold) {
  const list = ["map", "water"];
  if (days > 1) {
    list.push("tent");
  }
  if (cold) {
    list.push("jacket");
  }
  return list;
}

export function totalWeight(items) {
  return items.reduce((sum, item) => sum + item.weight, 0);
}
