import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { IDLE_MS, remaining } from "../src/replay/idle";
import { fromInput, toInput, wishFrom, wishOf } from "../src/replay/moments";
import { Reel } from "../src/replay/reel";

const FROM = Date.parse("2026-05-01T08:00:00+08:00");
const STANDING = { from: "2026-05-01T00:00:00.000Z", to: "2026-05-01T03:00:00.000Z", speed: 60, playing: true, ended: false };

class FakeSocket {
  readyState = 1;
  sent: Record<string, unknown>[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  send(text: string): void { this.sent.push(JSON.parse(text) as Record<string, unknown>); }
  close(): void { this.closed = true; }
  say(frame: object): void { this.onmessage?.({ data: JSON.stringify(frame) }); }
}

function opened(): { reel: Reel; wire: FakeSocket; face: ReturnType<ReturnType<Reel["around"]>["connect"]>; heard: string[] } {
  const wire = new FakeSocket();
  const reel = new Reel({ from: FROM, to: FROM + 3 * 3600_000, speed: 60 }, () => wire as unknown as WebSocket);
  const face = reel.around({} as Parameters<Reel["around"]>[0]).connect();
  const heard: string[] = [];
  face.onmessage = (message) => heard.push(String(message.data));
  face.send(JSON.stringify({ type: "hello", resume: "live-token", filter: { domains: null, areas: null } }));
  return { reel, wire, face, heard };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", { OPEN: 1 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a reel", () => {
  it("greets the past with a moment, never with a token of the present", () => {
    const { wire } = opened();
    expect(wire.sent[0]).toEqual({
      type: "hello", from: "2026-05-01T00:00:00.000Z", to: "2026-05-01T03:00:00.000Z", speed: 60, playing: true,
      filter: { domains: null, areas: null },
    });
  });

  it("passes on pings and nothing else that only the present understands", () => {
    const { wire, face } = opened();
    face.send('{"type":"ping"}');
    face.send('{"type":"painted","sent_at":1}');
    expect(wire.sent.map((frame) => frame["type"])).toEqual(["hello", "ping"]);
  });

  it("lets no live frame through", () => {
    const { reel, wire, heard } = opened();
    wire.say({ type: "hello", server_time: "2026-05-01T00:00:00Z", protocol: 1 });
    expect(heard).toEqual([]);
    expect(wire.closed).toBe(true);
    expect(reel.problem.value).not.toBeNull();
  });

  it("follows the server's clock and opens again where it was", () => {
    const { reel, wire } = opened();
    wire.say({ type: "pulse", server_time: "2026-05-01T01:30:00.000Z", replay: STANDING });
    expect(reel.at.value).toBe(Date.parse("2026-05-01T01:30:00Z"));
    const face = reel.around({} as Parameters<Reel["around"]>[0]).connect();
    face.send(JSON.stringify({ type: "hello", resume: null, filter: null }));
    expect(wire.sent[1]?.["from"]).toBe("2026-05-01T01:30:00.000Z");
  });

  it("is steered at once for the eye and in one frame for the server", () => {
    const { reel, wire } = opened();
    wire.say({ type: "hello", server_time: "2026-05-01T00:00:00Z", protocol: 1, replay: STANDING });
    reel.steer({ at: FROM + 60_000 });
    reel.steer({ at: FROM + 120_000, playing: false });
    expect(reel.at.value).toBe(FROM + 120_000);
    wire.say({ type: "pulse", server_time: "2026-05-01T00:00:10.000Z", replay: STANDING });
    expect(reel.at.value).toBe(FROM + 120_000);
    vi.advanceTimersByTime(1000);
    expect(wire.sent.slice(1)).toEqual([{ type: "steer", playing: false, at: "2026-05-01T00:02:00.000Z" }]);
  });

  it("says why it cannot go on instead of trying for ever", () => {
    const { reel, wire, face } = opened();
    const closed = vi.fn();
    face.onclose = closed;
    wire.onclose?.({ code: 1006, reason: "" });
    expect(closed).toHaveBeenCalledOnce();
    wire.onclose?.({ code: 4410, reason: "readings are kept from … on" });
    expect(closed).toHaveBeenCalledOnce();
    expect(reel.problem.value).toBe("readings are kept from … on");
  });
});

it("returns to live five minutes after the last touch", () => {
  expect(remaining(1000, 1000 + IDLE_MS - 1)).toBe(1);
  expect(remaining(1000, 1000 + IDLE_MS)).toBe(0);
  expect(remaining(1000, 1000 + 2 * IDLE_MS)).toBe(0);
});

it("moments are written and read in the city's time", () => {
  expect(toInput(FROM)).toBe("2026-05-01T08:00");
  expect(fromInput("2026-05-01T08:00")).toBe(FROM);
  expect(fromInput("")).toBeNaN();
});

it("an address may ask for a replay of the past, not of the future", () => {
  const now = FROM + 3600_000;
  expect(wishOf("?replay=2026-05-01T08:00:00%2B08:00&speed=60", now)).toEqual({ from: FROM, to: now, speed: 60 });
  expect(wishOf("?replay=2026-05-01T08:00:00+08:00", now)?.speed).toBe(1);
  expect(wishOf("?replay=2999-05-01T08:00:00Z", now)).toBeNull();
  expect(wishOf("?token=x", now)).toBeNull();
  expect(wishFrom(FROM, FROM + 9 * 3600_000, 10).to).toBe(FROM + 3 * 3600_000);
});
