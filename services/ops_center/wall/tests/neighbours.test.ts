import { describe, expect, it } from "vitest";

import type { NeighbourWarning } from "../src/live/neighbours";
import { parseFrame } from "../src/live/protocol";
import { apply, emptyPicture } from "../src/live/reducer";
import { holding, outlines, priorityOf } from "../src/wall/neighbours";
import { silent, type Neighbour } from "../src/console/setup/neighbour";

const NOW = Date.parse("2026-05-01T08:00:00Z");

function warning(more: Partial<NeighbourWarning> = {}): NeighbourWarning {
  return {
    adcode: 440100, identifier: "440100_1", severity: "Severe", exercise: false,
    event_zh: "洪水", event_en: "Flood", headline_zh: "", headline_en: "", area_zh: "", area_en: "",
    since: "2026-05-01T07:00:00Z", sent_at: "2026-05-01T07:00:00Z", expires_at: "2026-05-01T09:00:00Z",
    outline: [[[113, 23], [113.2, 23], [113.2, 23.2], [113, 23]], [[114, 23], [114.2, 23], [114.2, 23.2], [114, 23]]],
    ...more,
  };
}

describe("warnings of neighbouring cities", () => {
  it("end when they expire, whether or not the server can say so", () => {
    expect([holding(NOW)(warning()), holding(NOW + 2 * 3_600_000)(warning())]).toEqual([true, false]);
  });

  it("are on the map while they hold, each ring with the colour of its gravity", () => {
    const over = warning({ identifier: "440100_2", severity: "Extreme", expires_at: "2026-05-01T07:30:00Z" });
    const { features } = outlines([warning(), over], NOW);
    expect(features.map((one) => one.properties)).toEqual([{ priority: 2 }, { priority: 2 }]);
    expect(outlines([], NOW).features).toEqual([]);
    expect(priorityOf(warning({ severity: "Unknown" }))).toBe(4);
  });

  it("come in frames of their own, which leave the picture as it is", () => {
    const frame = parseFrame(JSON.stringify({ type: "neighbours", neighbours: { cities: [], warnings: [warning()] } }));
    const picture = emptyPicture();
    expect(frame === null ? null : apply(picture, frame)).toMatchObject({ snapshot: false, series: [], incidents: [] });
    expect(picture).toEqual(emptyPicture());
  });
});

describe("a neighbour", () => {
  const city: Neighbour = {
    adcode: 440100, name_zh: "广州", name_en: "Guangzhou", url: "", interest: null, silent_after_minutes: 60, enabled: true,
    endpoint_id: "", heard_at: "2026-05-01T07:30:00Z", delivered_at: null, queued: 0, failures: 0,
  };

  it("is silent when it should have been heard of", () => {
    expect([silent(city, NOW), silent(city, NOW + 3_600_000)]).toEqual([false, true]);
    expect(silent({ ...city, silent_after_minutes: null }, NOW + 9e9)).toBe(false);
  });
});
