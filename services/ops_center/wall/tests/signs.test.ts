import { describe, expect, it } from "vitest";

import { linesOf, scaleOf } from "../src/console/vitals/past";
import { language } from "../src/i18n";
import { rise, written, type Contribution } from "../src/signs/signs";
import { arrow, distance, duration, reading } from "../src/signs/texts";

const NOW = Date.parse("2026-05-01T10:30:00+08:00");

function cost(change: Partial<Contribution> = {}): Contribution {
  return {
    sensor_id: "gas-3", name: "", metric: "gas.concentration", name_zh: "", name_en: "", unit: "%LEL",
    cause: "alarm", state: "p1", value: 34.5, normal: [0, 10], outside_by: 24.5,
    since: "2026-05-01T10:26:00+08:00", at_least: false, points: 20, ...change,
  };
}

describe("a vital sign", () => {
  it("is written with one decimal, and not at all when nobody can tell", () => {
    expect([100, 99.96, 74.4, 0, null].map(written)).toEqual(["100", "100.0", "74.4", "0.0", "—"]);
  });

  it("is compared only with what was kept", () => {
    const then = { at: "", index: 97.8 };
    expect(rise(99.1, then)).toBe(1.3);
    expect([rise(null, then), rise(99, null), rise(99, { at: "", index: null })]).toEqual([null, null, null]);
    expect([1.3, -0.5, 0].map(arrow)).toEqual(["▲1.3", "▼0.5", "＝"]);
  });

  it("says how far outside a sensor is, and for how long", () => {
    language.value = "zh";
    expect([reading(cost()), distance(cost()), duration(cost(), NOW)]).toEqual(["34.5 %LEL", "高出 24.5 %LEL", "已 4 分"]);
    expect(distance(cost({ outside_by: -3 }))).toBe("低 3.00 %LEL");
    expect(duration(cost({ at_least: true }), NOW)).toBe("超过 4 分");
    const silent = cost({ cause: "silent", outside_by: 24.5 });
    expect([reading(silent), distance(silent), duration(cost({ since: null }), NOW)]).toEqual(["失联", "", ""]);
  });
});

describe("the past of an index", () => {
  const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
  const draw = (items: { at: string; index: number | null }[]): string =>
    linesOf(items, (moment) => (moment - NOW) / 60_000, (index) => index);

  it("is broken where nothing was kept and where nobody could tell", () => {
    expect(draw([{ at: at(0), index: 90 }, { at: at(10), index: 91 }])).toBe("M0.0 90.0L10.0 91.0");
    expect(draw([{ at: at(0), index: 90 }, { at: at(60), index: 91 }])).toBe("M0.0 90.0M60.0 91.0");
    expect(draw([{ at: at(0), index: 90 }, { at: at(10), index: null }, { at: at(20), index: 91 }]))
      .toBe("M0.0 90.0M20.0 91.0");
  });

  it("is drawn from a full ten below its least", () => {
    const scale = (...indexes: (number | null)[]): [number, number] => scaleOf(indexes.map((index) => ({ at: "", index })));
    expect([scale(99.4), scale(100), scale(72, null), scale(0)]).toEqual([[90, 100], [90, 100], [70, 100], [0, 100]]);
  });
});
