import { describe, expect, it } from "vitest";

import { type Incident, State, type ServerFrame } from "../src/live/protocol";
import { age, apply, emptyPicture, further, partsOf, ranked, standsAlone, trust, type Picture } from "../src/live/reducer";
import { at, delta, hello, incident, snapshot, step } from "./frames";

function after(...frames: ServerFrame[]): Picture {
  const picture = emptyPicture();
  frames.forEach((frame) => apply(picture, structuredClone(frame)));
  return picture;
}

/** What a screen shows, without what only tells how it came to be. */
function shown({ sensors, series, incidents }: Picture) {
  return {
    sensors: { ...sensors, state: [...sensors.state] },
    series: {
      metric: series.metric, sensor: [...series.sensor], value: [...series.value],
      observedAt: [...series.observedAt], state: [...series.state],
    },
    incidents: [...incidents.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

describe("series", () => {
  it("snapshot and deltas give the same picture as a later snapshot", () => {
    const live = after(
      hello, snapshot(),
      delta([[0, 2, at(30), "normal"], [2, 5, at(31), "normal"]]),
      delta([[0, 34, at(60), "p1"]]),
      delta([[1, 900, at(0), "stale"]]),
    );
    const later = snapshot();
    later.series.value = [34, 900, 5];
    later.series.observed_at = [at(60), at(0), at(31)];
    later.series.state = ["p1", "stale", "normal"];
    expect(shown(live)).toEqual(shown(after(later)));
  });

  it("a repeated delta changes nothing more", () => {
    const twice = delta([[0, 34, at(60), "p1"]]);
    expect(shown(after(snapshot(), twice, twice))).toEqual(shown(after(snapshot(), twice)));
  });

  it("an older reading never replaces a newer one", () => {
    const picture = after(snapshot(), delta([[0, 3, at(90), "normal"]]), delta([[0, 34, at(60), "p1"]]));
    expect(picture.series.value[0]).toBe(3);
    expect(picture.sensors.state[0]).toBe(State.normal);
  });

  it("a state without a time keeps the value", () => {
    const picture = after(snapshot(), delta([[0, null, null, "stale"]]));
    expect(picture.series.value[0]).toBe(1);
    expect(picture.series.state[0]).toBe(State.stale);
  });

  it("a sensor shows its gravest series", () => {
    const picture = after(snapshot());
    expect(apply(picture, delta([[1, 1, at(1), "p3"]])).sensors).toEqual([0]);
    expect(picture.sensors.state[0]).toBe(State.p3);
    expect(apply(picture, delta([[0, 2, at(1), "stale"]])).sensors).toEqual([]);
    expect(apply(picture, delta([[1, 1, at(2), "normal"]])).sensors).toEqual([0]);
    expect(picture.sensors.state[0]).toBe(State.stale);
  });

  it("a delta of another snapshot is a mismatch and touches nothing", () => {
    const picture = after(snapshot());
    const change = apply(picture, delta([[0, 9, at(9), "p1"], [3, 1, at(9), "normal"]]));
    expect(change.mismatch).toBe(true);
    expect(picture.series.value[0]).toBe(1);
    expect(picture.resume).toBeNull();
  });

  it("an unknown state is bad data, not normal", () => {
    const picture = after(snapshot(), delta([[0, 1, at(1), "odd" as never]]));
    expect(picture.series.state[0]).toBe(State.bad);
  });

  it("an empty city is a picture too", () => {
    const none = snapshot({
      sensors: { id: [], name: [], lon: [], lat: [], area_id: [] },
      series: { sensor: [], metric: [], value: [], observed_at: [], state: [] },
    });
    expect(after(none).sensors.state).toHaveLength(0);
  });
});

describe("age", () => {
  it("turns what nobody confirms stale, and leaves alarms alone", () => {
    const picture = after(snapshot(), delta([[1, 1, at(0), "p2"]]));
    expect(age(picture, at(90))).toEqual([]);
    expect(picture.series.state[0]).toBe(State.normal);
    age(picture, at(91));
    expect([...picture.series.state]).toEqual([State.stale, State.p2, State.never]);
    expect(age(after(snapshot()), at(91))).toEqual([0]);
  });

  it("is taken back when the server is heard again, but for what the server said since", () => {
    const picture = after(snapshot());
    age(picture, at(91));
    apply(picture, delta([[1, 900, at(0), "stale"]]));
    trust(picture);
    expect([...picture.series.state]).toEqual([State.normal, State.stale, State.never]);
    expect(picture.sensors.state[0]).toBe(State.stale);
  });
});

describe("incidents", () => {
  const opened = incident("i", 1);
  const taken = incident("i", 2, { state: "acknowledged" });
  const closed = incident("i", 3, { state: "closed" });

  it("end the same in whatever order the steps arrive", () => {
    const orders = [[opened, taken, closed], [closed, opened, taken], [taken, closed, opened]];
    for (const order of orders) {
      expect(after(snapshot(), ...order.map((one) => step(one))).incidents.size).toBe(0);
    }
  });

  it("a duplicate is not a change", () => {
    const picture = after(snapshot(), step(taken));
    expect(apply(picture, step(taken)).incidents).toEqual([]);
    expect(apply(picture, step(opened)).incidents).toEqual([]);
    expect(picture.incidents.get("i")?.state).toBe("acknowledged");
  });

  it("a gap is jumped: the newest version is whole", () => {
    expect(after(snapshot(), step(opened), step(incident("i", 7, { state: "handling" })))
      .incidents.get("i")?.version).toBe(7);
  });

  it("reopening brings a closed one back", () => {
    const picture = after(snapshot(), step(closed), step(incident("i", 4)));
    expect(picture.incidents.get("i")?.version).toBe(4);
  });

  it("a snapshot that is older than what was seen does not undo it", () => {
    const old = snapshot({ incidents: [opened] });
    expect(after(snapshot(), step(taken), old).incidents.get("i")?.version).toBe(2);
    expect(after(snapshot(), step(closed), old).incidents.size).toBe(0);
  });

  it("a snapshot without one means it has been closed", () => {
    expect(after(snapshot({ incidents: [opened] }), snapshot()).incidents.size).toBe(0);
  });

  it("that are part of another or merged have no row", () => {
    const rows = ["flood", "child", "merged", "old"].map((id) => incident(id, 1));
    Object.assign(rows[0] as object, { kind: "flood", members: 12 });
    Object.assign(rows[1] as object, { parent_id: "flood" });
    Object.assign(rows[2] as object, { merged_into: "old", members: 3 });
    delete (rows[3] as { parent_id?: unknown }).parent_id; // as an older server tells it
    expect(rows.filter(standsAlone).map((one) => one.id)).toEqual(["flood", "old"]);
    expect(rows.map(further)).toEqual([12, 0, 2, 0]);
    expect(partsOf(rows[0] as Incident, rows).map((one) => one.id)).toEqual(["child"]);
    expect(partsOf(rows[3] as Incident, rows)).toEqual([]);
  });

  it("are ranked by priority, then the newest first", () => {
    const picture = after(snapshot({ incidents: [
      incident("old", 1, { opened_at: "2026-05-01T00:00:00Z" }),
      incident("new", 1, { opened_at: "2026-05-01T01:00:00Z" }),
      incident("grave", 1, { priority: 1, opened_at: "2026-04-30T00:00:00Z" }),
    ] }));
    expect(ranked(picture).map((one) => one.id)).toEqual(["grave", "new", "old"]);
  });
});

describe("resume", () => {
  it("is the token of the newest frame, and none after a resync", () => {
    const picture = after(snapshot(), delta([[0, 2, at(5), "normal"]], "r7"));
    expect(picture.resume).toBe("r7");
    apply(picture, step(incident("i", 1), "incident.opened", "r8"));
    expect(picture.resume).toBe("r8");
    apply(picture, { type: "resync", reason: "registry" });
    expect(picture.resume).toBeNull();
  });
});
