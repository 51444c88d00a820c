import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { State } from "../src/live/protocol";
import type { Picture } from "../src/live/reducer";
import { CROWD } from "../src/map/cells";
import { Following, type News } from "../src/map/following";

/** A picture of so many sensors with one series each, as far as a map looks at it. */
function pictureOf(sensors: number): Picture {
  const state = new Uint8Array(sensors).fill(State.normal);
  return {
    epoch: 1, sensors: { id: Array.from({ length: sensors }, (_, n) => `s${n}`), state }, series: { state: state.slice() },
  } as unknown as Picture;
}

class Drawn {
  pictures = 0;
  states: number[][] = [];
  alarms = 0;
  setPicture(): void { this.pictures++; }
  setStates(_: Picture, sensors: Iterable<number>): void { this.states.push([...sensors].sort((a, b) => a - b)); }
  setAbnormal(): void { this.alarms++; }
}

const news = (sensors: number[], more: Partial<News> = {}): News =>
  ({ snapshot: false, incidents: false, sensors: new Set(sensors), series: new Set(), ...more });

function following(sensors: number): [Following, Drawn, Picture] {
  const picture = pictureOf(sensors), drawn = new Drawn();
  return [new Following(drawn, picture), drawn, picture];
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a map of few sensors", () => {
  it("shows every change of state at once", () => {
    const [map, drawn] = following(100);
    expect(drawn.pictures).toBe(1);
    map.hear(news([1]));
    map.hear(news([2, 3]));
    expect(drawn.states).toEqual([[1], [2, 3]]);
  });

  it("rewrites the figures beside alarms now and then, the last one too", () => {
    const [map, drawn, picture] = following(100);
    picture.series.state[7] = State.p4;
    for (let tick = 0; tick < 8; tick++) {
      map.hear(news([], { series: new Set([7]) }));
      vi.advanceTimersByTime(250);
    }
    expect(drawn.alarms).toBe(2);
    map.hear(news([], { series: new Set([7]) }));
    vi.advanceTimersByTime(2000);
    expect(drawn.alarms).toBe(3);
  });

  it("draws nothing for readings that change no state", () => {
    const [map, drawn] = following(100);
    map.hear(news([], { series: new Set([1, 2]) }));
    vi.advanceTimersByTime(5000);
    expect([drawn.states, drawn.alarms]).toEqual([[], 0]);
  });
});

describe("a map of a crowd", () => {
  it("gathers what is not grave, and loses nothing of it", () => {
    const [map, drawn] = following(CROWD + 1);
    map.hear(news([1]));
    for (const sensor of [2, 3, 4]) map.hear(news([sensor]));
    expect(drawn.states).toEqual([[1]]);
    vi.advanceTimersByTime(2000);
    expect(drawn.states).toEqual([[1], [2, 3, 4]]);
    vi.advanceTimersByTime(5000);
    expect(drawn.states.length).toBe(2);
  });

  it("shows at once what is grave, with all that waits", () => {
    const [map, drawn, picture] = following(CROWD + 1);
    map.hear(news([1]));
    map.hear(news([2]));
    picture.sensors.state[9] = State.p2;
    map.hear(news([9]));
    expect(drawn.states).toEqual([[1], [2, 9]]);
    map.hear(news([], { incidents: true }));
    expect(drawn.alarms).toBe(3);
  });

  it("forgets what waits when a new picture comes, and when it ends", () => {
    const [map, drawn] = following(CROWD + 1);
    map.hear(news([1]));
    map.hear(news([2]));
    map.hear(news([], { snapshot: true }));
    vi.advanceTimersByTime(5000);
    expect([drawn.pictures, drawn.states]).toEqual([2, [[1]]]);
    map.hear(news([3]));
    map.hear(news([4]));
    map.stop();
    vi.advanceTimersByTime(5000);
    expect(drawn.states).toEqual([[1], [3]]);
  });
});
