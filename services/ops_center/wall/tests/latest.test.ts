import type { FeatureCollection } from "geojson";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { Latest, PATIENCE_MS } from "../src/map/latest";

const data = (name: string): FeatureCollection => ({
  type: "FeatureCollection", features: [{ type: "Feature", properties: { name }, geometry: { type: "Point", coordinates: [112, 23] } }],
});

/** One source of a map, loading for as long as the test says. */
class Source {
  loaded = true;
  given: string[] = [];
  private hear: (event: { sourceId: string }) => void = () => undefined;
  on = (_: string, hear: (event: { sourceId: string }) => void) => void (this.hear = hear);
  isSourceLoaded = () => this.loaded;
  getSource = () => ({ setData: (found: FeatureCollection) => {
    this.given.push(found.features[0]?.properties?.["name"]);
    this.loaded = false;
  } });
  finish(sourceId = "alarms"): void {
    this.loaded = true;
    this.hear({ sourceId });
  }
}

let source: Source, latest: Latest;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  source = new Source();
  latest = new Latest(source as never, "alarms");
});

describe("a source that loads", () => {
  it("is given the newest of what came meanwhile, once", () => {
    for (const name of ["a", "b", "c"]) latest.show(() => data(name));
    expect(source.given).toEqual(["a"]);
    source.finish("others");
    expect(source.given).toEqual(["a"]);
    source.finish();
    expect(source.given).toEqual(["a", "c"]);
    source.finish();
    expect(source.given).toEqual(["a", "c"]);
  });

  it("is asked for its data when it can take them", () => {
    let name = "old";
    latest.show(() => data("a"));
    latest.show(() => data(name));
    name = "new";
    source.finish();
    expect(source.given).toEqual(["a", "new"]);
  });

  it("is not given the same twice", () => {
    latest.show(() => data("a"));
    source.finish();
    latest.show(() => data("a"));
    expect(source.given).toEqual(["a"]);
    latest.show(() => data("b"));
    expect(source.given).toEqual(["a", "b"]);
  });

  it("does not wait for ever", () => {
    latest.show(() => data("a"));
    latest.show(() => data("b"));
    vi.advanceTimersByTime(PATIENCE_MS + 1);
    latest.show(() => data("c"));
    expect(source.given).toEqual(["a", "c"]);
    source.finish();
    expect(source.given).toEqual(["a", "c"]);
  });
});
