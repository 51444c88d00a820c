import { describe, expect, it } from "vitest";

import { COMMANDS, LOOP, guess, lacks, mayAct, possible, specOf } from "../src/console/commands";
import { newest, openOnes } from "../src/console/merge";
import { exactSpan, moment } from "../src/console/moment";
import { EVERYTHING, countByPriority, filtered, neighbour, ordered } from "../src/console/queue";
import { hashOf, parseRoute } from "../src/console/route";
import { exampleFor, toDocument, toForm, type RuleForm } from "../src/console/rules/form";
import { casesOf } from "../src/console/tasks/mine";
import { metres, watches } from "../src/console/watching";
import { flooded, newOnes } from "../src/console/work/flood";
import { given, matchersOf, scopesOf, words } from "../src/console/work/silence";
import type { Incident, Priority } from "../src/live/protocol";
import { nextPage } from "../src/login/next";
import { language } from "../src/i18n";
import { unusual } from "../src/wall/unusual";
import { incident } from "./frames";

const nameless = (): string => "";
const ids = (incidents: readonly Incident[]): string[] => incidents.map(({ id }) => id);

function made(id: string, change: Partial<Incident> = {}): Incident {
  return { ...incident(id, 1), ...change, id };
}

describe("commands", () => {
  it("offer the loop's next step first, in every state", () => {
    expect(LOOP.map((state) => possible(state)[0]?.command)).toEqual([
      "acknowledge", "dispatch", "start", "resolve", "close", "reopen",
    ]);
  });

  it("never lead to the state they start from, but for a second dispatch", () => {
    for (const { command, from, to } of COMMANDS) {
      expect(command === "dispatch" || to === null || !from.includes(to)).toBe(true);
    }
  });

  it("say what they lack", () => {
    expect(lacks(specOf("dispatch"), { note: " ", department: "" })).toEqual(["department", "note"]);
    expect(lacks(specOf("close"), { note: "" })).toEqual(["note"]);
    expect(lacks(specOf("resolve"), { note: "" })).toEqual([]);
  });

  it("are guessed without touching what the server has said", () => {
    const open = made("a");
    const dispatched = guess(open, "dispatch", { note: "x", department: "供电局" });
    expect([dispatched.state, dispatched.department, dispatched.version]).toEqual(["dispatched", "供电局", open.version]);
    expect(open.state).toBe("open");
  });

  it("are for people who work on incidents", () => {
    expect((["screen", "viewer", "", "operator", "dispatcher", "admin"] as const).map(mayAct))
      .toEqual([false, false, false, true, true, true]);
  });
});

describe("the queue", () => {
  const calm = made("calm", { priority: 4 as Priority, opened_at: "2026-05-01T08:00:00Z" });
  const urgent = made("urgent", { priority: 1 as Priority, opened_at: "2026-05-01T07:00:00Z", title: "燃气泄漏", area_id: "441202" });
  const newer = made("newer", { priority: 1 as Priority, opened_at: "2026-05-01T07:30:00Z", state: "handling", subjects: ["gas-7"] });

  it("puts the urgent first, then the newest", () => {
    expect(ids(ordered([calm, urgent, newer], "all"))).toEqual(["newer", "urgent", "calm"]);
  });

  it("narrows by stage, priority, area and text together", () => {
    const all = [calm, urgent, newer];
    const find = (part: object): string[] => ids(filtered(all, { ...EVERYTHING, ...part }, nameless));
    expect(find({})).toEqual(["calm", "urgent", "newer"]);
    expect(find({ stage: "working" })).toEqual(["newer"]);
    expect(find({ priorities: new Set([1]) })).toEqual(["urgent", "newer"]);
    expect(find({ area: "441202", text: "燃气" })).toEqual(["urgent"]);
    expect(find({ text: "GAS-7" })).toEqual(["newer"]);
  });

  it("finds a subject by its name", () => {
    const named = filtered([newer], { ...EVERYTHING, text: "天宁" }, () => "天宁路阀井");
    expect(ids(named)).toEqual(["newer"]);
  });

  it("counts every priority, also those without any", () => {
    expect([...countByPriority([urgent, newer])]).toEqual([[1, 2], [2, 0], [3, 0], [4, 0]]);
  });

  it("moves to neighbours and stays at its ends", () => {
    expect(neighbour(["a", "b"], null, 1)).toBe("a");
    expect(neighbour(["a", "b"], "a", 1)).toBe("b");
    expect(neighbour(["a", "b"], "b", 1)).toBe("b");
    expect(neighbour(["a", "b"], "gone", -1)).toBe("b");
    expect(neighbour([], "a", 1)).toBeNull();
  });
});

describe("three sources of one incident", () => {
  const sources = (part: object) => ({
    live: [], closed: new Map<string, number>(), answers: new Map<string, Incident>(),
    guesses: new Map<string, Incident>(), ...part,
  });

  it("the higher version wins, whoever said it", () => {
    const old = made("a", { version: 1 }), young = made("a", { version: 2, state: "acknowledged" });
    expect(newest(old, young)).toBe(young);
    expect(newest(young, old)).toBe(young);
    const answers = new Map([["a", young]]);
    expect(openOnes(sources({ live: [old], answers }))).toEqual([young]);
  });

  it("an answer older than the closing brings nothing back", () => {
    const answers = new Map([["a", made("a", { version: 5 })]]);
    expect(openOnes(sources({ closed: new Map([["a", 6]]), answers }))).toEqual([]);
  });

  it("an answer that reopens comes before the socket tells", () => {
    const answers = new Map([["a", made("a", { version: 7 })]]);
    expect(ids(openOnes(sources({ closed: new Map([["a", 6]]), answers })))).toEqual(["a"]);
  });

  it("a guess covers what is known, and only that", () => {
    const guesses = new Map([["a", made("a", { state: "closed" })], ["b", made("b")]]);
    expect(openOnes(sources({ live: [made("a")], guesses }))).toEqual([]);
  });
});

describe("addresses", () => {
  it("name a page and an incident", () => {
    expect(parseRoute("#incidents/a%2Fb")).toEqual({ page: "incidents", item: "a/b" });
    expect(parseRoute(hashOf("incidents", "a/b"))).toEqual({ page: "incidents", item: "a/b" });
    expect(parseRoute("#nonsense/%")).toEqual({ page: "incidents", item: null });
    expect(parseRoute("#rules")).toEqual({ page: "rules", item: null });
  });

  it("lead back only to this site", () => {
    const origin = "http://city.example";
    expect(nextPage("?next=/", origin)).toBe("/");
    expect(nextPage("?next=/%3Flang%3Den", origin)).toBe("/?lang=en");
    for (const evil of ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      expect(nextPage(`?next=${encodeURIComponent(evil)}`, origin)).toBeNull();
    }
    expect(nextPage("", origin)).toBeNull();
  });
});

describe("words", () => {
  it("times are the city's own", () => {
    const now = Date.parse("2026-05-01T00:00:00Z");
    expect(moment("2026-04-30T16:05:06Z", now)).toBe("05-01 00:05:06");
    expect(moment("2025-12-31T15:59:59Z", now)).toBe("2025-12-31 23:59:59");
    expect(moment(null, now)).toBe("—");
  });

  it("settings are not rounded", () => {
    expect(exactSpan(90)).toBe("1 分 30 秒");
    expect(exactSpan(7200)).toBe("2 小时");
    expect(exactSpan(0)).toBe("0 秒");
  });
});

describe("silences", () => {
  const fire = made("fire", { rule_id: "gas-leak", subjects: ["gas-1"], area_id: "441202", priority: 1 as Priority });
  const flood = made("flood", { rule_id: "drain-level-high", subjects: ["drain-1"], area_id: "441203", priority: 2 as Priority });

  it("of what is urgent go by name only", () => {
    expect(scopesOf(fire)).toEqual(["subject", "shelve"]);
    expect(scopesOf(flood)).toEqual(["subject", "area", "rule", "shelve", "sensor"]);
  });

  it("say what they are about", () => {
    expect(matchersOf("subject", fire)).toEqual({ rule: ["gas-leak"], subject: ["gas-1"] });
    expect(matchersOf("area", flood)).toEqual({ rule: ["drain-level-high"], area: ["441203"] });
    expect(matchersOf("shelve", fire)).toBeNull();
    expect(given({ rule: words(" a, b"), subject: [] })).toEqual({ rule: ["a", "b"] });
  });
});

describe("a flood", () => {
  const at = Date.parse("2026-05-01T08:00:00Z");
  const opened = (id: string, minutesAgo: number): Incident =>
    made(id, { opened_at: new Date(at - minutesAgo * 60_000).toISOString(), priority: 2 as Priority });

  it("begins above ten in ten minutes and ends below five", () => {
    expect([flooded(false, 10), flooded(false, 11), flooded(true, 5), flooded(true, 4)]).toEqual([false, true, true, false]);
    expect(ids(newOnes([opened("old", 11), opened("new", 9)], at))).toEqual(["new"]);
  });

  it("freezes the order: who comes later stands further down", () => {
    expect(ids(ordered([opened("late", 1), opened("early", 5)], "all", true))).toEqual(["early", "late"]);
  });
});

describe("a department's cases", () => {
  it("are those sent to it, the most pressing first", () => {
    const mine = (id: string, due: string | null): Incident =>
      made(id, { department: "燃气公司", state: "dispatched", step_due_at: due, deadline_at: null });
    const others = [made("open", { department: "燃气公司" }), made("theirs", { department: "水利局", state: "dispatched" })];
    expect(ids(casesOf([mine("b", null), mine("a", "2026-05-01T08:00:00Z"), ...others], "燃气公司"))).toEqual(["a", "b"]);
  });
});

describe("the rule form", () => {
  const document = { id: "gas", title: { zh: "燃气", en: "Gas" }, metric: "gas.concentration", above: 20, deadband: 5, for: "90s", grade: 2, priority: 1, cause: "gas", runbook: "关阀" };

  it("goes there and back, and keeps what it does not show", () => {
    const form = toForm(document);
    expect(form?.hold).toBe("1.5");
    expect(toDocument(form as RuleForm, document)).toEqual(document);
  });

  it("leaves to YAML what it cannot say", () => {
    expect(toForm({ ...document, levels: [{ above: 1 }] })).toBeNull();
    expect(toForm({ ...document, below: 3 })).toBeNull();
  });

  it("knows a fall from a rise", () => {
    const { above: _, deadband: __, ...rest } = document;
    const form = toForm({ ...rest, rate: { below: -80, over: 120 } });
    expect([form?.kind, form?.limit, form?.over]).toEqual(["falls", "80", "2"]);
    expect(toDocument(form as RuleForm, null)).toMatchObject({ rate: { below: -80, over: "2m" } });
  });

  it("offers readings on both sides of the limit", () => {
    expect(exampleFor(toForm(document) as RuleForm, 30)).toBe("12.5x3 27.5x5 12.5x3");
  });
});

describe("what watches a sensor", () => {
  const rule = { metric: "water.level", sensors: ["gauge-*"], areas: [], enabled: true };

  it("goes by metric, name and area", () => {
    expect(watches(rule, "gauge-7", ["water.level"], [])).toBe(true);
    expect(watches(rule, "other-7", ["water.level"], [])).toBe(false);
    expect(watches({ ...rule, areas: ["441202"] }, "gauge-7", ["water.level"], ["441203"])).toBe(false);
    expect(watches({ ...rule, enabled: false }, "gauge-7", ["water.level"], [])).toBe(false);
  });

  it("stands as far away as the earth is round", () => {
    expect(metres({ lon: 112, lat: 23 }, { lon: 112, lat: 24 })).toBeCloseTo(111_195, -1);
  });
});

describe("what is unusual", () => {
  const found = { sign: "spike", expected: 104.2, observed: 210, odds: 31_623, since: "2026-05-01T06:05:00Z" };

  it("is said in one line of the operator's language", () => {
    language.value = "zh";
    expect(unusual(found)).toBe("超出以往：预期 104，实测 210；约每 3万 次读数一遇；自 14:05 起");
    language.value = "en";
    expect(unusual({ ...found, since: null })).toBe("Beyond the past: expected 104, observed 210; about one reading in 30K");
    language.value = "zh";
  });

  it("does not invent what is not known", () => {
    expect(unusual({ ...found, expected: null, since: null })).toContain("预期 —");
    expect(unusual({ ...found, sign: "none" })).toBe("已恢复");
  });
});
