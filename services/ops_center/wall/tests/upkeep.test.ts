import { describe, expect, it } from "vitest";

import { calm, reloadReason, type Condition } from "../src/wall/upkeep";
import { incident } from "./frames";

const city = (text: string): number => Date.parse(`2026-05-02T${text}:00+08:00`);
const steady: Condition = {
  now: city("12:00"), loadedAt: city("00:00"), heapBytes: 100e6, outdated: false, calm: true, share: 0.5,
};

describe("a page is loaded anew", () => {
  it("when its heap grows, at once when it grows beyond all measure", () => {
    expect(reloadReason(steady)).toBeNull();
    expect(reloadReason({ ...steady, heapBytes: 900e6 })).toBe("heap");
    expect(reloadReason({ ...steady, heapBytes: 900e6, calm: false })).toBeNull();
    expect(reloadReason({ ...steady, heapBytes: 1.3e9, calm: false })).toBe("heap");
  });

  it("at its own minute of the hour after four in the city, wherever the machine thinks it is", () => {
    const at = (now: string, share: number) => reloadReason({ ...steady, now: city(now), share });
    expect(at("04:29", 0.5)).toBeNull();
    expect(at("04:30", 0.5)).toBe("night");
    expect(at("04:01", 0)).toBe("night");
    expect(at("04:58", 0.99)).toBeNull();
    expect(at("05:00", 0.99)).toBe("night");
    expect(at("03:59", 0)).toBeNull();
  });

  it("once a night, and not when it is young", () => {
    const after = { ...steady, now: city("07:00"), loadedAt: city("04:30") };
    expect(reloadReason(after)).toBeNull();
    expect(reloadReason({ ...steady, now: city("04:45"), loadedAt: city("03:00") })).toBeNull();
  });

  it("later in the morning when there was a flood at night, but not by day", () => {
    expect(reloadReason({ ...steady, now: city("04:30"), calm: false })).toBeNull();
    expect(reloadReason({ ...steady, now: city("06:10") })).toBe("night");
    expect(reloadReason({ ...steady, now: city("09:00") })).toBeNull();
  });

  it("for a new build, but not in a flood", () => {
    expect(reloadReason({ ...steady, outdated: true })).toBe("build");
    expect(reloadReason({ ...steady, outdated: true, calm: false })).toBeNull();
  });
});

it("is not calm in a flood, told or felt", () => {
  const now = Date.parse("2026-05-01T00:05:00Z");
  const many = Array.from({ length: 11 }, (_, number) => incident(`i${number}`, 1));
  expect(calm(many.slice(0, 10), now)).toBe(true);
  expect(calm(many, now)).toBe(false);
  expect(calm(many, now + 600_000)).toBe(true);
  expect(calm([incident("f", 1, { kind: "flood" })], now + 600_000)).toBe(false);
});
