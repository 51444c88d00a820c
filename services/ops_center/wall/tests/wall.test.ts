import { describe, expect, it } from "vitest";

import { State } from "../src/live/protocol";
import { apply, emptyPicture, type Picture } from "../src/live/reducer";
import { boundsOf, labelPoint } from "../src/map/geometry";
import { ABNORMAL_SHOWN, abnormalFeatures, samePlaces, sensorFeatures } from "../src/map/sensors";
import { extent } from "../src/wall/extent";
import { number, scaled, span } from "../src/wall/format";
import { Line, WINDOW_MS, drawable, longestStep, representative } from "../src/wall/trends";
import { axisOf, position, summarise, vitals, type VitalSpec } from "../src/wall/vitals";
import { at, delta, incident, snapshot, step } from "./frames";

function city(): Picture {
  const picture = emptyPicture();
  apply(picture, snapshot());
  return picture;
}

describe("vital signs", () => {
  const gas: VitalSpec = { metric: "gas.concentration", domain: "utilities", summary: "max", name_zh: "", name_en: "" };

  it("count only what is fresh", () => {
    const picture = city();
    expect(vitals(picture, [gas])[0]).toMatchObject({ value: 1, fresh: 1, known: 1, worst: State.normal });
    apply(picture, delta([[0, 1, at(1), "stale"]]));
    expect(vitals(picture, [gas])[0]).toMatchObject({ value: null, at: null, fresh: 0, known: 1 });
  });

  it("include alarms and say how many there are", () => {
    const picture = city();
    apply(picture, delta([[0, 34, at(1), "p1"], [2, 3, at(1), "normal"]]));
    expect(vitals(picture, [gas])[0]).toMatchObject({ value: 34, fresh: 2, alarms: 1, worst: State.p1 });
  });

  it("leave out metrics the city does not have", () => {
    expect(vitals(city(), [{ ...gas, metric: "unheard.of" }])).toEqual([]);
  });

  it("summarise nothing as nothing", () => {
    expect(summarise([], "sum")).toBeNull();
    expect(summarise([1, 2, 6], "mean")).toBe(3);
    expect(summarise([1, 2, 6], "min")).toBe(1);
  });

  it("leave room around the normal range and clamp what lies outside", () => {
    expect(axisOf([0, 10], [])).toEqual([0, 14]);
    expect(axisOf([200, 600], [])).toEqual([40, 760]);
    expect(axisOf(null, [])).toEqual([0, 1]);
    expect(position(99, [0, 14])).toBe(1);
  });
});

describe("trends", () => {
  it("show the gravest series, and stay with what they show", () => {
    const picture = city();
    const spec = { metric: "gas.concentration", worst: "high" as const };
    apply(picture, delta([[2, 5, at(1), "normal"]]));
    expect(representative(picture, spec, -1)).toBe(2);
    expect(representative(picture, spec, 0)).toBe(0);
    apply(picture, delta([[2, 34, at(2), "p1"]]));
    expect(representative(picture, spec, 0)).toBe(2);
    expect(representative(picture, { ...spec, metric: "none" }, -1)).toBe(-1);
  });

  it("join history to what arrived live meanwhile, in order and without repeats", () => {
    const line = new Line();
    line.push({ at: 50, value: 5 });
    line.push({ at: 60, value: 6 });
    line.push({ at: 55, value: 9 });
    line.push({ at: 60, value: 7 });
    line.fill([{ at: 40, value: 4 }, { at: 30, value: 3 }, { at: 50, value: 5 }]);
    expect(line.at).toEqual([30, 40, 50, 60]);
    expect(line.value).toEqual([3, 4, 5, 7]);
  });

  it("draw no line over a time in which nothing was read", () => {
    const longest = longestStep(30, 60_000);
    expect(longest).toBe(180_000);
    expect(drawable([0, 60_000, 300_000], [1, 2, 3], longest))
      .toEqual([[0, 60, 180, 300], [1, 2, null, 3]]);
    expect(drawable([], [], longest)).toEqual([[], []]);
  });

  it("let go of what is older than the window", () => {
    const line = new Line();
    line.push({ at: 0, value: 1 });
    line.push({ at: WINDOW_MS, value: 2 });
    line.trim(WINDOW_MS + 1);
    expect(line.at).toEqual([WINDOW_MS]);
    line.trim(3 * WINDOW_MS);
    expect(line.at).toEqual([]);
  });
});

describe("a chart's extent", () => {
  const normal: [number, number] = [0, 10];

  it("holds the data, the broken limit and some room", () => {
    expect(extent(0, 34, { normal, threshold: 20 })).toEqual([0, expect.closeTo(44.2)]);
    const [bottom, top] = extent(96, 300, { normal: [200, 600], threshold: 150 });
    expect(bottom).toBeLessThan(96);
    expect(top).toBeGreaterThan(300);
  });

  it("does not make drama of noise", () => {
    const [bottom, top] = extent(4.81, 4.82, { normal });
    expect(top - bottom).toBeCloseTo(2);
  });

  it("does not go below zero for what cannot, and knows nothing of nothing", () => {
    expect(extent(0, 0, { normal })[0]).toBe(0);
    expect(extent(-3, -2, { normal })[0]).toBeLessThan(-3);
    expect(extent(null, null, { normal })).toEqual([0, 1]);
  });
});

describe("the map's sources", () => {
  it("leave out sensors without a place", () => {
    const picture = city();
    picture.sensors.lon[1] = null as unknown as number;
    expect(sensorFeatures(picture).features.map((feature) => feature.id)).toEqual([0]);
  });

  it("give the gravest alarms, with who is held", () => {
    const picture = city();
    apply(picture, delta([[1, 1, at(1), "p3"], [2, 34, at(1), "p1"]]));
    apply(picture, step(incident("i", 1, { subjects: ["a"], state: "dispatched" })));
    const found = abnormalFeatures(picture, String).features.map((feature) => feature.properties);
    expect(found.map((one) => [one?.["index"], one?.["priority"], one?.["held"]]))
      .toEqual([[1, 1, false], [0, 3, true]]);
    apply(picture, step(incident("j", 1, { subjects: ["a"] })));
    expect(abnormalFeatures(picture, String).features[1]?.properties?.["held"]).toBe(false);
  });

  it("are replaced only when a sensor came, went or moved", () => {
    const sensors = city().sensors;
    expect(samePlaces(sensors, city().sensors)).toBe(true);
    expect(samePlaces(sensors, { ...sensors, lon: [112.4, 112.6] })).toBe(false);
    expect(samePlaces(sensors, { ...sensors, id: ["a", "c"] })).toBe(false);
    expect(samePlaces(sensors, { ...sensors, id: ["a"] })).toBe(false);
  });

  it("never hold more than their share", () => {
    const picture = emptyPicture();
    const many = Array.from({ length: ABNORMAL_SHOWN + 50 }, (_, index) => index);
    apply(picture, snapshot({
      sensors: { id: many.map(String), name: many.map(String), lon: many.map(() => 112), lat: many.map(() => 23), area_id: many.map(() => null) },
      series: { sensor: many, metric: many.map(() => "gas.concentration"), value: many, observed_at: many,
        state: many.map((index) => (index === ABNORMAL_SHOWN + 49 ? "p1" : "p4")) },
    }));
    const { features } = abnormalFeatures(picture, String);
    expect(features).toHaveLength(ABNORMAL_SHOWN);
    expect(features[0]?.id).toBe(ABNORMAL_SHOWN + 49);
  });

  it("put labels into the largest part", () => {
    const square = (x: number, size: number) => [[[x, 0], [x + size, 0], [x + size, size], [x, size], [x, 0]]];
    const geometry = { type: "MultiPolygon" as const, coordinates: [square(0, 1), square(10, 4)] };
    expect(labelPoint(geometry)).toEqual([12, 2]);
    expect(boundsOf({ type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry }] }))
      .toEqual([0, 0, 14, 4]);
    expect(boundsOf({ type: "FeatureCollection", features: [] })).toBeNull();
  });
});

describe("figures", () => {
  it("keep three significant digits or so", () => {
    expect([0, 1.304, 34.04, 168.2, 2683.4, NaN, null].map((value) => number(value)))
      .toEqual(["0.00", "1.30", "34.0", "168", "2,683", "—", "—"]);
    expect(scaled(222_000, "kW")).toEqual([222, "MW"]);
  });

  it("write spans in the unit that fits", () => {
    expect([0, 59_400, 60_000, 7_200_000, 200_000_000].map(span))
      .toEqual(["0 秒", "59 秒", "1 分", "2 小时", "2 天"]);
  });
});
