/** Keeps one socket to `/v1/live` alive: resume token, back-off with jitter, dead-link watch. */

import { PROTOCOL, parseFrame, type Filter, type ServerFrame } from "./protocol";

/** `refused`: the server answered, and does not let this client in. */
export type Link = "connecting" | "live" | "lost" | "refused";

/** The part of WebSocket that the client uses. */
export interface Socket {
  binaryType?: string;
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

/** What the client needs of its surroundings; tests give their own. */
export interface Surroundings {
  connect(): Socket;
  /** Milliseconds, monotonic. */
  now(): number;
  random(): number;
  after(milliseconds: number, run: () => void): () => void;
  /** Whether the server still knows this client's credentials; true when it cannot say. */
  admitted(): Promise<boolean>;
  /** Text of a gzip; without it snapshots come uncompressed. */
  gunzip?(data: ArrayBuffer): Promise<string>;
  /** The server speaks another protocol version: the page must be loaded anew. */
  outdated(): void;
}

export interface Listener {
  /** Returns false when the frame does not fit: the client reconnects for a new snapshot. */
  frame(frame: ServerFrame): boolean;
  link(link: Link): void;
}

export const BACKOFF_MS = [0, 1000, 2000, 4000, 5000];
export const PING_AFTER_MS = 10_000;
export const DEAD_AFTER_MS = 15_000;
const WATCH_EVERY_MS = 1000;
const PAINT_EVERY_MS = 1000;
const REFUSED_CODES = new Set([1008, 4401, 4403]);

/** Delay before the attempt with this number (from 0): ±30 % around the table. */
export function backoff(attempt: number, random: number): number {
  const base = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] as number;
  return Math.round(base * (0.7 + 0.6 * random));
}

export class LiveClient {
  private socket: Socket | null = null;
  private resume: string | null = null;
  private attempt = 0;
  private lastFrame = 0;
  private opened = 0;
  /** The server has spoken since the last ping. */
  private greeted = false;
  private cancelRetry = (): void => {};
  private cancelWatch = (): void => {};
  /** Messages that wait for a snapshot to be unpacked: their order counts. */
  private unpacking: Promise<void> | null = null;
  private paintTold = -Infinity;
  /** Rises with every start and stop, so that what was awaited before knows it is late. */
  private run = 0;
  private current: Link | null = null;

  constructor(
    private readonly around: Surroundings,
    private readonly listener: Listener,
    private filter: Filter = { domains: null, areas: null },
  ) {}

  start(): void {
    this.stop();
    this.lastFrame = this.around.now();
    this.setLink("connecting");
    this.open();
    this.watch();
  }

  stop(): void {
    this.run += 1;
    this.cancelRetry();
    this.cancelWatch();
    this.drop();
  }

  /** Milliseconds since the last frame of any kind. */
  silence(): number {
    return this.around.now() - this.lastFrame;
  }

  /** Another filter from now on; the server answers with `resync` and a snapshot. */
  refilter(filter: Filter): void {
    this.filter = filter;
    if (this.current === "live") this.socket?.send(JSON.stringify({ type: "filter", filter }));
  }

  /** Say that the delta with this `sent_at` is on the screen; told at most once a second. */
  painted(sentAt: number): void {
    const now = this.around.now();
    if (this.current !== "live" || now - this.paintTold < PAINT_EVERY_MS) return;
    this.paintTold = now;
    this.socket?.send(JSON.stringify({ type: "painted", sent_at: sentAt }));
  }

  private open(): void {
    const socket = this.around.connect();
    this.socket = socket;
    this.unpacking = null;
    socket.binaryType = "arraybuffer";
    this.opened = this.around.now();
    socket.onopen = () => {
      const accept = this.around.gunzip ? ["gzip"] : [];
      socket.send(JSON.stringify({ type: "hello", resume: this.resume, filter: this.filter, accept }));
    };
    socket.onmessage = (message) => this.hear(socket, message.data);
    socket.onclose = (event) => void this.lose(event.code);
  }

  private hear(socket: Socket, data: unknown): void {
    this.lastFrame = this.around.now();
    this.greeted = true;
    if (typeof data === "string" && this.unpacking === null) {
      this.receive(data);
      return;
    }
    const before = this.unpacking;
    const turn = this.take(socket, data, before).finally(() => {
      if (this.unpacking === turn) this.unpacking = null;
    });
    this.unpacking = turn;
  }

  private async take(socket: Socket, data: unknown, before: Promise<void> | null): Promise<void> {
    await before;
    try {
      const text = typeof data === "string" ? data : await this.around.gunzip?.(data as ArrayBuffer);
      if (this.socket === socket && text !== undefined) this.receive(text);
    } catch {
      if (this.socket !== socket) return;
      this.resume = null;
      void this.lose(0);
    }
  }

  private receive(text: string): void {
    const frame = parseFrame(text);
    if (frame === null) return;
    if (frame.type === "hello" && frame.protocol !== PROTOCOL) {
      this.stop();
      this.around.outdated();
      return;
    }
    if (frame.type === "resync") this.resume = null;
    if (!this.listener.frame(frame)) {
      this.resume = null;
      void this.lose(0);
      return;
    }
    if ("resume" in frame) this.resume = frame.resume;
    // Not at hello: a server that accepts and drops at once would be hammered without delay.
    if (frame.type === "pulse") this.attempt = 0;
    if (frame.type !== "hello" && frame.type !== "resync") this.setLink("live");
  }

  private async lose(code: number): Promise<void> {
    const run = this.run;
    this.drop();
    this.setLink("lost");
    const refused = REFUSED_CODES.has(code) || !(await this.around.admitted());
    if (run !== this.run) return;
    if (refused) {
      this.stop();
      this.setLink("refused");
      return;
    }
    const delay = backoff(this.attempt++, this.around.random());
    this.cancelRetry = this.around.after(delay, () => this.open());
  }

  /** A half-open socket never closes by itself: silence ends it. */
  private watch(): void {
    const silent = this.around.now() - Math.max(this.lastFrame, this.opened);
    if (this.socket !== null && silent > DEAD_AFTER_MS) void this.lose(0);
    else if (this.greeted && silent > PING_AFTER_MS) this.ping();
    this.cancelWatch = this.around.after(WATCH_EVERY_MS, () => this.watch());
  }

  /** Once per silence: the answer, a pulse, ends it. */
  private ping(): void {
    this.greeted = false;
    this.socket?.send(JSON.stringify({ type: "ping" }));
  }

  private drop(): void {
    const socket = this.socket;
    this.greeted = false;
    if (socket === null) return;
    this.socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private setLink(link: Link): void {
    if (link === this.current) return;
    this.current = link;
    this.listener.link(link);
  }
}
