// Routes and how long they take.

export const WALKING_SPEED = 4.5;
export const MAX_STOPS = 8;

export function duration(distance, speed = WALKING_SPEED) {
  return distance / speed;
}

export function climbTime(metres) {
  return metres / 600;
}

export function totalDistance(legs) {
  let total = 0;
  for (const leg of legs) {
    total += leg.distance;
  }
  return total;
}

export class Route {
  constructor(name) {
    this.name = name;
    this.stops = [];
  }

  addStop(stop) {
    if (this.stops.length >= MAX_STOPS) {
      throw new Error("too many stops");
    }
    this.stops.push(stop);
  }

  last() {
    return this.stops[this.stops.length - 1];
  }
}
