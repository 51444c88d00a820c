import { describe, expect, it } from "vitest";

import { condition } from "../src/console/condition";
import { spark } from "../src/console/related/spark";
import { exampleFor, faults, toDocument, toForm, type RuleForm } from "../src/console/rules/form";
import { bandOf } from "../src/wall/forecast";

describe("rules that foresee", () => {
  const document = { id: "r", title: { zh: "高", en: "high" }, metric: "water.level", priority: 4, grade: 4 };

  it("come through the form as they were", () => {
    const forecast = { above: 8, within: 10_800, deadband: 0.3 };
    const form = toForm({ ...document, forecast }) as RuleForm;
    expect(form).toMatchObject({ kind: "will_rise", limit: "8", over: "180", deadband: "0.3" });
    expect(toDocument(form, null)).toMatchObject({ forecast: { above: 8, within: "180m", deadband: 0.3 } });
    expect(faults(form).size).toBe(0);
    expect(faults({ ...form, over: "30" }).has("over")).toBe(true);
    expect(toForm({ ...document, forecast: { levels: [{ above: 1 }] } })).toBeNull();
  });

  it("come with an example of three days", () => {
    const form = toForm({ ...document, forecast: { below: -5 } }) as RuleForm;
    expect(exampleFor(form, 900)).toBe("-2.5-0.0208x48 -3.5+0.0208x48 -2.5-0.0333x48 -4.1+0.0333x48 -2.5-0.0625x48");
  });

  it("are told in words", () => {
    expect(condition({ forecast: { above: 8, within: 10_800 } }, "m")).toBe("预计 3 小时内高于 8 m");
  });
});

describe("a forecast's band", () => {
  const found = {
    state: "ready" as const, why: null, made_at: "2026-05-01T08:00:00Z", lately: [],
    last: { at: "2026-05-01T07:52:30Z", value: 7 },
    items: [{ hours: 1, at: "2026-05-01T08:52:30Z", expected: 7.5, low: 7.2, high: 7.9 }],
  };

  it("opens from the newest mean", () => {
    expect(bandOf(found)?.slice(1)).toEqual([[7, 7.5], [7, 7.2], [7, 7.9]]);
  });

  it("is not there where nothing is foretold", () => {
    expect(bandOf(null)).toBeNull();
    expect(bandOf({ ...found, state: "too_little", items: [] })).toBeNull();
    expect(bandOf({ ...found, last: null })).toBeNull();
  });
});

describe("a small line", () => {
  it("breaks where nothing was read, and lies in the middle where nothing changes", () => {
    expect(spark([1, null, 2])).toBe("M0.0 26.0M120.0 2.0");
    expect(spark([4, 4])).toBe("M0.0 14.0L120.0 14.0");
    expect(spark([null, null])).toBe("");
    expect(spark([])).toBe("");
    expect(spark([1e308, -1e308])).not.toContain("NaN");
  });
});
