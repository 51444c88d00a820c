/** Which picture the wall shows: the present, or a past of its own. The two never share a picture. */

import { effect, signal } from "@preact/signals";

import { socketUrl } from "../api";
import type { Surroundings } from "../live/client";
import type { Incident } from "../live/protocol";
import { Board } from "../wall/board";
import { choosing } from "./choosing";
import { remaining } from "./idle";
import { Reel, type Wish } from "./reel";

const LOOK_EVERY_MS = 1000;

export interface Screening {
  reel: Reel;
  board: Board;
}

export class Stage {
  /** Null: the present is shown. */
  readonly screening = signal<Screening | null>(null);
  readonly choosing = choosing;
  readonly problem = signal<string | null>(null);
  /** Milliseconds until the wall returns to live by itself. */
  readonly left = signal(Infinity);
  /** Urgent incidents that opened live since the replay began. */
  readonly news = signal<Incident[]>([]);
  private touchedAt = 0;
  private end = (): void => {};

  constructor(readonly live: Board, private readonly browser: Surroundings) {}

  /** Begin to replay, or replay something else. */
  show(wish: Wish): void {
    this.end();
    const reel = new Reel(wish, () => new WebSocket(socketUrl("/v1/replay")));
    const board = new Board(reel.around(this.browser), reel);
    const stop = board.start();
    const began = this.live.now();
    const watch = setInterval(() => this.look(), LOOK_EVERY_MS);
    const unfail = effect(() => void (reel.problem.value !== null && this.fail(reel.problem.value)));
    const unnews = effect(() => {
      this.news.value = this.live.top.value.filter(
        (one) => one.priority === 1 && Date.parse(one.opened_at) > began);
    });
    this.end = () => {
      stop();
      clearInterval(watch);
      unfail();
      unnews();
    };
    this.touch();
    this.choosing.value = false;
    this.problem.value = null;
    this.screening.value = { reel, board };
  }

  /** Back to the present, which has gone on meanwhile. */
  back(): void {
    this.end();
    this.end = () => {};
    this.left.value = Infinity;
    this.screening.value = null;
    this.choosing.value = false;
  }

  /** Somebody is there. */
  touch(): void {
    this.touchedAt = Date.now();
    this.left.value = Infinity;
  }

  private look(): void {
    this.left.value = remaining(this.touchedAt, Date.now());
    if (this.left.value === 0) this.back();
  }

  private fail(why: string): void {
    queueMicrotask(() => {
      this.back();
      this.problem.value = why;
      this.choosing.value = true;
    });
  }
}
