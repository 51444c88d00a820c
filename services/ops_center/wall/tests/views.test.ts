import { describe, expect, it } from "vitest";

import { State } from "../src/live/protocol";
import { apply, emptyPicture, type Picture } from "../src/live/reducer";
import { Tally, assign, type Cell } from "../src/map/grid";
import { caseAddress } from "../src/wall/address";
import { districts, health, silentAreas } from "../src/wall/districts";
import { CALM, flooded, gathered, ordered } from "../src/wall/flood";
import { START, interrupted, stepped, turnSeconds, turned } from "../src/wall/rotation";
import { extentOf } from "../src/wall/scale";
import { concerns, hasDomain, holds, viewsOf } from "../src/wall/view";
import { at, delta, hello, incident, snapshot } from "./frames";

function city(): Picture {
  const picture = emptyPicture();
  apply(picture, hello);
  apply(picture, snapshot());
  return picture;
}

describe("rotation", () => {
  it("turns a page when its time is over, and goes round", () => {
    const first = turned(START, 1000, 3, 45, false);
    expect(turned(first, 45_999, 3, 45, false).page).toBe(0);
    const second = turned(first, 46_000, 3, 45, false);
    expect(second.page).toBe(1);
    expect(turned({ ...second, page: 2 }, 92_000, 3, 45, false).page).toBe(0);
  });

  it("rests two minutes after a new P1 or a hand", () => {
    const urgent = interrupted(1000);
    expect(turned(urgent, 120_000, 3, 45, false).page).toBe(0);
    expect(turned(urgent, 121_000, 3, 45, false).page).toBe(1);
    expect(stepped(START, 1000, 3, -1)).toEqual({ page: 2, since: 1000, pausedUntil: 121_000 });
  });

  it("stands still in a flood, and has its whole time afterwards", () => {
    const held = turned({ ...START, since: 1 }, 90_000, 3, 45, true);
    expect(held.page).toBe(0);
    expect(turned(held, 100_000, 3, 45, false).page).toBe(0);
  });

  it("takes 30 to 60 seconds", () => {
    expect([null, "off", "0", "5", "40", "900", "x"].map(turnSeconds)).toEqual([45, 0, 0, 30, 40, 60, 45]);
  });
});

describe("a flood", () => {
  const now = Date.parse("2026-05-01T00:10:00Z");
  const many = (count: number, opened = "2026-05-01T00:05:00Z") => Array.from({ length: count }, (_, index) =>
    incident(`i${index}`, 1, { opened_at: opened, area_id: index % 2 ? "441202" : "441203" }));

  it("begins above ten new ones in ten minutes and ends below five", () => {
    expect(flooded(CALM, many(10), now).on).toBe(false);
    const on = flooded(CALM, many(11), now);
    expect(on).toMatchObject({ on: true, recent: 11 });
    expect(flooded(on, many(5), now).on).toBe(true);
    expect(flooded(on, many(4), now)).toEqual({ on: false, recent: 4, order: [] });
  });

  it("counts neither what is old nor what is silenced", () => {
    expect(flooded(CALM, many(20, "2026-05-01T00:00:00Z"), now).recent).toBe(0);
    const silenced = many(20).map((one) => ({ ...one, suppressed: { by: "silence" as const, id: "s", until: null } }));
    expect(flooded(CALM, silenced, now).on).toBe(false);
  });

  it("is what the server says, whose members are grouped in its stead", () => {
    const whole = incident("f", 1, { kind: "flood", members: 2 });
    const parts = many(2).map((one) => ({ ...one, parent_id: "f", opened_at: "2026-04-01T00:00:00Z" }));
    expect(flooded(CALM, [whole, ...parts], now).on).toBe(true);
    const [single, groups] = gathered([whole, ...parts]);
    expect([single.length, groups.map((group) => group.members.length)]).toEqual([0, [1, 1]]);
  });

  it("leaves priority 1 alone and keeps its order", () => {
    const urgent = incident("u", 1, { priority: 1, opened_at: "2026-05-01T00:06:00Z" });
    const first = flooded(CALM, many(11), now);
    const second = flooded(first, [urgent, ...many(12).reverse()], now);
    expect(second.order).toEqual([...first.order, "u"]);
    const [single, groups] = gathered([urgent, ...many(3)]);
    expect(single.map((one) => one.id)).toEqual(["u"]);
    expect(ordered(groups, (group) => group.areaId ?? "", ["441202", "441203"]).map((group) => group.areaId))
      .toEqual(["441202", "441203"]);
  });
});

describe("views", () => {
  it("come from an address, one or several in turn", () => {
    expect(viewsOf("?token=t&lang=en&theme=light")).toEqual([]);
    expect(viewsOf("?area=441202&domains=traffic,nonsense")[0])
      .toMatchObject({ area_id: "441202", domains: ["traffic"], seconds: null });
    const query = new URLSearchParams([["view", "area=441202&seconds=2"], ["view", "name=水务&domains=utilities"]]);
    expect(viewsOf(`?${query}`).map((view) => [view.name, view.seconds])).toEqual([["", 5], ["水务", 60]]);
    expect(viewsOf("?centre=112.4,23,11")[0]?.centre).toEqual({ lon: 112.4, lat: 23, zoom: 11 });
    expect(viewsOf("?centre=here")).toEqual([]);
  });

  it("hold their area's incidents, and those that concern everybody", () => {
    const picture = city();
    const [view] = viewsOf("?area=441202&domains=traffic");
    const shown = (over: object) => concerns(view ?? null, incident("i", 1, over), picture);
    expect(shown({ metric: null, area_id: null })).toBe(true);
    expect(shown({ metric: null, area_id: "441203" })).toBe(false);
    expect(shown({ metric: "gas.concentration" })).toBe(false);
    expect(shown({ metric: "gas.concentration", members: 3 })).toBe(true);
    expect(concerns(null, incident("i", 1), picture)).toBe(true);
    expect([hasDomain(view ?? null, "traffic"), hasDomain(view ?? null, "utilities")]).toEqual([true, false]);
    expect(holds({ ...view!, area_id: "441200" }, "441203", "441200")).toBe(true);
  });
});

describe("the grid", () => {
  const square = (area_id: string, x: number): Cell => ({
    area_id, polygon: { type: "Polygon", coordinates: [[[x, 22.9], [x + 0.1, 22.9], [x + 0.1, 23.2], [x, 23.2], [x, 22.9]]] },
  });
  const cells = [square("c0", 112.35), square("c1", 112.45)];

  it("puts every sensor into its cell", () => {
    const { sensors } = city();
    expect([...assign(cells, sensors)]).toEqual([0, 1]);
    expect([...assign(cells, { ...sensors, lon: [100, 112.5] })]).toEqual([-1, 1]);
  });

  it("keeps count as states change", () => {
    const picture = city();
    const tally = new Tally(cells, picture.sensors);
    expect(tally.look(0)).toEqual({ fill: 1, alarm: 0, silent: false });
    expect(tally.move(0, State.stale)).toBe(0);
    expect(tally.look(0)).toMatchObject({ silent: true });
    tally.move(0, State.p2);
    expect(tally.look(0)).toMatchObject({ alarm: State.p2, silent: false });
    expect(tally.move(0, State.p2)).toBe(-1);
  });
});

describe("districts", () => {
  it("count sensors by state and incidents by priority, and know where it is silent", () => {
    const picture = city();
    expect(districts(picture, [incident("i", 1)])[0])
      .toMatchObject({ sensors: 1, known: 1, silent: 0, incidents: { 1: 0, 2: 1, 3: 0, 4: 0 } });
    expect(silentAreas(picture).get("441202")).toBe(false);
    apply(picture, delta([[0, 1, at(1), "stale"], [1, 1, at(1), "stale"]]));
    expect(silentAreas(picture).get("441202")).toBe(true);
  });

  it("say how complete each metric's data is", () => {
    expect(health(city())).toEqual([
      { metric: "gas.concentration", fresh: 1, silent: 0, bad: 0, never: 1, newestAt: at(0) },
      { metric: "power.load", fresh: 1, silent: 0, bad: 0, never: 0, newestAt: at(0) },
    ]);
  });
});

describe("the wall's size", () => {
  it("fills the window, keeps its shape, or its size", () => {
    expect(extentOf(null, 3840, 1080)).toEqual({ unit: 1, width: 3840, height: 1080 });
    expect(extentOf("fit", 3840, 1080)).toEqual({ unit: 1, width: 1920, height: 1080 });
    expect(extentOf("scroll", 800, 600)).toEqual({ unit: 1, width: 1920, height: 1080 });
    expect(extentOf("1.25", 7680, 4320)).toEqual({ unit: 5, width: 7680, height: 4320 });
    expect(extentOf("99", 1920, 1080).unit).toBe(4);
  });
});

describe("an incident's case", () => {
  it("is on the console, with the screen's own token", () => {
    expect(caseAddress("a/b", "t&1")).toBe("/console?token=t%261#incidents/a%2Fb");
    expect(caseAddress("i", null)).toBe("/console#incidents/i");
  });
});
