/** A replay as the wall sees it: where it stands, how it is steered, and its own socket to `/v1/replay`. */

import { signal } from "@preact/signals";

import type { Socket, Surroundings } from "../live/client";

export type Speed = 1 | 10 | 60;
export const SPEEDS: readonly Speed[] = [1, 10, 60];

/** What `hello` and `pulse` of a replay say beside what those of the present do. */
export interface Standing {
  from: string;
  to: string;
  speed: Speed;
  playing: boolean;
  ended: boolean;
}

/** From where to where (epoch ms), and how fast. */
export interface Wish {
  from: number;
  to: number;
  speed: Speed;
}

export interface Change {
  playing?: boolean;
  speed?: Speed;
  at?: number;
  /** Seconds to play on at once. */
  step?: number;
}

type Told = { type: string; server_time?: string; replay?: Standing };

/** Closed for a reason that trying again does not change: malformed, no longer kept, too many replays. */
const FINAL = new Set([1013, 4400, 4410]);
const STEER_EVERY_MS = 200;

export class Reel {
  /** The replay's time, epoch ms. */
  readonly at = signal(NaN);
  readonly standing = signal<Standing>({ from: "", to: "", speed: 1, playing: false, ended: false });
  /** Why it cannot go on, in the server's words. */
  readonly problem = signal<string | null>(null);
  private socket: WebSocket | null = null;
  private due: Change = {};
  private sending: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly wish: Wish, private readonly open: () => WebSocket) {
    this.at.value = wish.from;
    this.standing.value = {
      from: iso(wish.from), to: iso(wish.to), speed: wish.speed, playing: true, ended: false,
    };
  }

  /** The browser's, but with the past behind the socket. */
  around(browser: Surroundings): Surroundings {
    return { ...browser, connect: () => this.connect() };
  }

  /** Shown at once, told to the server at most five times a second. */
  steer(change: Change): void {
    const { speed, playing, at } = change;
    const now = this.standing.value;
    this.standing.value = {
      ...now, speed: speed ?? now.speed, playing: playing ?? now.playing, ended: at === undefined && now.ended,
    };
    if (at !== undefined) this.at.value = at;
    this.due = { ...this.due, ...change };
    this.sending ??= setTimeout(() => this.send(), STEER_EVERY_MS);
  }

  /** The reducer's client speaks as to the present; here it is told about the past instead. */
  private connect(): Socket {
    const socket = this.open();
    this.socket = socket;
    const face: Socket = {
      onopen: null, onmessage: null, onclose: null,
      send: (text) => this.pass(socket, text),
      close: () => socket.close(),
    };
    socket.onopen = () => face.onopen?.();
    socket.onmessage = (message: MessageEvent<string>) => {
      if (this.hear(message.data)) face.onmessage?.(message);
    };
    socket.onclose = (event) => {
      if (FINAL.has(event.code)) this.problem.value = event.reason;
      else face.onclose?.(event);
    };
    return face;
  }

  /** Of what a client says, only its greeting and its pings mean anything to the past. */
  private pass(socket: WebSocket, text: string): void {
    const { type, filter } = JSON.parse(text) as { type: string; filter?: unknown };
    if (type === "ping") socket.send(text);
    if (type !== "hello") return;
    const { to, speed, playing } = this.standing.value;
    // Where the link was lost, not where the replay began.
    socket.send(JSON.stringify({ type, from: iso(this.at.value), to, speed, playing, filter }));
  }

  /** False for what does not say that it is of the past: it must never be shown as such. */
  private hear(text: string): boolean {
    if (!text.startsWith('{"type":"pulse"') && !text.startsWith('{"type":"hello"')) return true;
    const { server_time, replay } = JSON.parse(text) as Told;
    if (replay === undefined || server_time === undefined) {
      this.problem.value = "this is not a replay";
      this.socket?.close();
      return false;
    }
    if (this.sending === undefined) {
      const started = this.standing.value.from;
      this.at.value = Date.parse(server_time);
      this.standing.value = { ...replay, from: started };
    }
    return true;
  }

  private send(): void {
    const { at, ...change } = this.due;
    this.due = {};
    this.sending = undefined;
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ type: "steer", ...change, ...(at === undefined ? {} : { at: iso(at) }) }));
  }
}

export function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
