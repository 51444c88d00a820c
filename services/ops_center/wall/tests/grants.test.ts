import { beforeEach, describe, expect, it } from "vitest";

import { askable, byDataset, levelName, type Disclosure } from "../src/console/setup/grant";
import { language } from "../src/i18n";

const KNOWN: Disclosure = {
  levels: [{ code: "public", zh: "公开", en: "Public" }, { code: "internal", zh: "内部", en: "Internal" }],
  items: [
    {
      dataset: "readings", zh: "读数", en: "Readings",
      fields: [
        { name: "value", level: "public", lent: true, subject: false },
        { name: "lon", level: "internal", lent: true, subject: false },
        { name: "why", level: "public", lent: false, subject: false },
      ],
    },
    { dataset: "reports", zh: "市民上报", en: "Reports", fields: [{ name: "phone", level: "internal", lent: false, subject: true }] },
  ],
};

describe("what may be asked for", () => {
  beforeEach(() => void (language.value = "en"));

  it("is lent to keys, and of people to people", () => {
    expect(askable(KNOWN, "key").map((one) => [one.name, one.fields.map((field) => field.path)])).toEqual([
      ["Readings", ["readings.value", "readings.lon"]],
    ]);
    expect(askable(KNOWN, "person").flatMap((one) => one.fields.map((field) => field.path))).toEqual(["reports.phone"]);
  });

  it("says its level as the city calls it, where it is not open to all", () => {
    const [readings] = askable(KNOWN, "key");
    expect(readings?.fields.map((field) => [field.open, field.level])).toEqual([[true, "Public"], [false, "Internal"]]);
    language.value = "zh";
    expect(levelName(KNOWN, "internal")).toBe("内部");
    expect(levelName(null, "internal")).toBe("internal");
  });

  it("is nothing before it is known", () => expect(askable(null, "key")).toEqual([]));
});

it("lists a grant's fields by dataset", () => {
  expect(byDataset(["readings.value", "sensors.lon", "readings.metric"])).toEqual([
    ["readings", ["value", "metric"]],
    ["sensors", ["lon"]],
  ]);
});
