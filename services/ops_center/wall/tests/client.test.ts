import { beforeEach, describe, expect, it } from "vitest";

import {
  BACKOFF_MS, DEAD_AFTER_MS, LiveClient, PING_AFTER_MS, backoff, type Link, type Socket,
} from "../src/live/client";
import type { ServerFrame } from "../src/live/protocol";
import { delta, hello, pulse, snapshot } from "./frames";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: {
    type: string; resume?: string | null; accept?: string[]; sent_at?: number; filter?: unknown;
  }[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  gets(...frames: ServerFrame[]): void {
    frames.forEach((frame) => this.onmessage?.({ data: JSON.stringify(frame) }));
  }
}

/** A clock that is turned by hand, and the sockets that were opened under it. */
class World {
  time = 1000;
  sockets: FakeSocket[] = [];
  links: Link[] = [];
  frames: ServerFrame[] = [];
  welcome = true;
  fits = true;
  reloads = 0;
  unpacked: (data: ArrayBuffer) => Promise<string> = async () => "";
  private timers: { at: number; run: () => void }[] = [];

  readonly client = new LiveClient({
    connect: () => {
      const socket = new FakeSocket();
      this.sockets.push(socket);
      return socket;
    },
    now: () => this.time,
    random: () => 0.5,
    after: (milliseconds, run) => {
      const timer = { at: this.time + milliseconds, run };
      this.timers.push(timer);
      return () => void (this.timers = this.timers.filter((other) => other !== timer));
    },
    admitted: async () => this.welcome,
    gunzip: (data) => this.unpacked(data),
    outdated: () => void (this.reloads += 1),
  }, {
    frame: (frame) => this.frames.push(frame) > 0 && this.fits,
    link: (link) => void this.links.push(link),
  });

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1] as FakeSocket;
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settle();
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }

  connect(...frames: ServerFrame[]): void {
    this.socket.onopen?.();
    this.socket.gets(hello, ...frames);
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

let world: World;
beforeEach(() => {
  world = new World();
  world.client.start();
});

describe("resume", () => {
  it("opens without a token, and reconnects with the newest", async () => {
    world.connect(snapshot(), delta([[0, 1, 2, "normal"]], "r9"));
    expect(world.socket.sent[0]?.resume).toBeNull();
    world.socket.onclose?.({ code: 1006 });
    await world.pass(0);
    world.socket.onopen?.();
    expect(world.socket.sent[0]?.resume).toBe("r9");
  });

  it("forgets the token when told to, or when a frame does not fit", async () => {
    world.connect(snapshot(), { type: "resync", reason: "registry" });
    world.socket.onclose?.({ code: 1006 });
    await world.pass(0);
    world.connect();
    expect(world.socket.sent[0]?.resume).toBeNull();
    world.fits = false;
    world.socket.gets(delta([[99, 1, 2, "normal"]], "r10"));
    await world.pass(1000);
    world.socket.onopen?.();
    expect(world.socket.sent[0]?.resume).toBeNull();
  });
});

describe("compressed snapshots", () => {
  it("are unpacked in order: what comes meanwhile waits", async () => {
    let unpack = (_: string): void => {};
    world.unpacked = () => new Promise((resolve) => void (unpack = resolve));
    world.connect();
    world.socket.onmessage?.({ data: new ArrayBuffer(8) });
    world.socket.gets(delta([[0, 1, 2, "normal"]], "r1"), delta([[0, 2, 3, "normal"]], "r2"));
    await settle();
    expect(world.frames.map(({ type }) => type)).toEqual(["hello"]);
    unpack(JSON.stringify(snapshot()));
    for (let turn = 0; turn < 4; turn++) await settle();
    expect(world.frames.map(({ type }) => type)).toEqual(["hello", "snapshot", "delta", "delta"]);
    world.socket.gets(delta([[0, 3, 4, "normal"]], "r3"));
    expect(world.frames.length).toBe(5);
    expect(world.socket.sent[0]?.accept).toEqual(["gzip"]);
  });

  it("that cannot be unpacked end the connection, without a token", async () => {
    world.unpacked = () => Promise.reject(new Error("cut off"));
    world.connect();
    const first = world.socket;
    world.socket.onmessage?.({ data: new ArrayBuffer(8) });
    await world.pass(10);
    expect(first.closed).toBe(true);
    world.connect(snapshot());
    expect(world.socket.sent[0]?.resume).toBeNull();
  });

  it("of a lost connection change nothing any more", async () => {
    let unpack = (_: string): void => {};
    world.unpacked = () => new Promise((resolve) => void (unpack = resolve));
    world.connect();
    world.socket.onmessage?.({ data: new ArrayBuffer(8) });
    world.socket.onclose?.({ code: 1006 });
    await world.pass(10);
    unpack(JSON.stringify(snapshot()));
    await settle();
    expect(world.frames.map(({ type }) => type)).toEqual(["hello"]);
  });
});

describe("what the client says", () => {
  it("tells what was painted, at most once a second", async () => {
    world.client.painted(1);
    world.connect(snapshot());
    [2, 3].forEach((sentAt) => world.client.painted(sentAt));
    await world.pass(1000);
    world.client.painted(4);
    const told = world.socket.sent.filter(({ type }) => type === "painted");
    expect(told).toEqual([{ type: "painted", sent_at: 2 }, { type: "painted", sent_at: 4 }]);
  });

  it("changes the filter of an open socket, and keeps it for the next one", async () => {
    const filter = { domains: null, areas: null, bbox: [1, 2, 3, 4] as [number, number, number, number] };
    world.connect(snapshot());
    world.client.refilter(filter);
    expect(world.socket.sent[1]).toEqual({ type: "filter", filter });
    world.socket.onclose?.({ code: 1006 });
    await world.pass(0);
    world.connect();
    expect(world.socket.sent[0]?.filter).toEqual(filter);
  });
});

describe("back-off", () => {
  it("is 0, 1, 2, 4, 5, 5 s with 30 % of jitter", () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => backoff(attempt, 0.5))).toEqual([...BACKOFF_MS, 5000]);
    expect(backoff(1, 0)).toBe(700);
    expect(backoff(1, 1)).toBe(1300);
  });

  it("goes on for ever and starts again only after a pulse", async () => {
    for (const wait of [0, 1000, 2000, 4000, 5000, 5000]) {
      const before = world.sockets.length;
      world.connect(snapshot());
      world.socket.onclose?.({ code: 1006 });
      await world.pass(Math.max(0, wait - 1));
      if (wait > 0) expect(world.sockets.length).toBe(before);
      await world.pass(1);
      expect(world.sockets.length).toBe(before + 1);
    }
    world.connect(snapshot(), pulse);
    const before = world.sockets.length;
    world.socket.onclose?.({ code: 1006 });
    await world.pass(0);
    expect(world.sockets.length).toBe(before + 1);
  });
});

describe("a half-open socket", () => {
  it("is asked, then given up after 15 s of silence", async () => {
    world.connect(snapshot());
    const first = world.socket;
    await world.pass(PING_AFTER_MS + 1000);
    expect(first.sent.filter(({ type }) => type === "ping")).toHaveLength(1);
    expect(first.closed).toBe(false);
    await world.pass(DEAD_AFTER_MS - PING_AFTER_MS + 1000);
    expect(first.closed).toBe(true);
    expect(world.sockets.length).toBe(2);
    expect(world.links).toEqual(["connecting", "live", "lost"]);
  });

  it("lives as long as pulses come", async () => {
    world.connect(snapshot());
    for (let second = 0; second < 60; second += 5) {
      await world.pass(5000);
      world.socket.gets(pulse);
    }
    expect(world.sockets.length).toBe(1);
  });

  it("is given up too when it never answers the hello", async () => {
    await world.pass(DEAD_AFTER_MS + 2000);
    expect(world.sockets.length).toBe(2);
  });
});

describe("the end of a session", () => {
  it("stops the reconnecting", async () => {
    world.connect(snapshot());
    world.socket.onclose?.({ code: 4401 });
    await world.pass(60_000);
    expect(world.links.at(-1)).toBe("refused");
    expect(world.sockets.length).toBe(1);
  });

  it("is also seen when the handshake fails without a code", async () => {
    world.welcome = false;
    world.socket.onclose?.({ code: 1006 });
    await world.pass(60_000);
    expect(world.links.at(-1)).toBe("refused");
    expect(world.sockets.length).toBe(1);
  });

  it("can be followed by another start", async () => {
    world.socket.onclose?.({ code: 4401 });
    await world.pass(1000);
    world.client.start();
    world.connect(snapshot());
    expect(world.links.at(-1)).toBe("live");
  });
});

it("stops for good when stopped while it was finding out why it lost the link", async () => {
  world.socket.onclose?.({ code: 1006 });
  world.client.stop();
  await world.pass(60_000);
  expect(world.sockets.length).toBe(1);
});

it("asks for a new page when the server speaks another version", () => {
  world.socket.gets({ ...hello, protocol: 2 } as ServerFrame);
  expect(world.reloads).toBe(1);
  expect(world.socket.closed).toBe(true);
});

it("passes over frames of a later version", () => {
  world.connect(snapshot());
  const before = world.frames.length;
  world.socket.onmessage?.({ data: '{"type":"novelty"}' });
  expect(world.frames.length).toBe(before);
  expect(world.sockets.length).toBe(1);
});
