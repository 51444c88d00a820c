/** The wall's state: one picture fed by one socket, told to the views at most four times a second. */

import { computed, signal } from "@preact/signals";

import { afterPaint } from "../live/browser";
import type { Reel } from "../replay/reel";
import { LiveClient, type Link, type Surroundings } from "../live/client";
import type { Neighbours } from "../live/neighbours";
import type { Domain, Incident, PulseFrame, ScreenInfo, ServerFrame } from "../live/protocol";
import { age, apply, emptyPicture, ranked, standsAlone, trust, type Picture } from "../live/reducer";

/** The server's tick is 250 ms; what it sends a little early still has its own flush. */
const LEAST_FLUSH_MS = 200;
const SAME_TICK_MS = 4; // within which the frames of one tick come
const BEAT_MS = 1000;
const AGE_EVERY_BEATS = 5;
/** Amber before the dead-link limit of 15 s, whatever ended the link. */
const STALE_LINK_MS = 12_000;
const LATE_LINK_MS = 4000;

/** What has changed since the last flush. */
export interface Flush {
  snapshot: boolean;
  sensors: Set<number>;
  series: Set<number>;
  incidents: boolean;
}

export type Selection =
  | { kind: "sensor"; id: string }
  | { kind: "incident"; id: string }
  | { kind: "sign"; id: Domain }
  | null;

export class Board {
  readonly picture: Picture = emptyPicture();
  readonly link = signal<Link>("connecting");
  /** Amber: what is shown may no longer be true. */
  readonly adrift = signal(false);
  /** Server time, epoch ms, once a second. */
  readonly beat = signal(Date.now());
  /** Rises with every snapshot. */
  readonly epoch = signal(0);
  readonly incidents = signal<Incident[]>([]);
  /** Those with a row of their own. */
  readonly top = computed(() => this.incidents.value.filter(standsAlone));
  /** Incident ids that opened while this page was watching. */
  readonly fresh = signal<ReadonlySet<string>>(new Set());
  readonly newestAt = signal(NaN);
  readonly pulse = signal<PulseFrame | null>(null);
  readonly selection = signal<Selection>(null);
  readonly city = signal<Picture["city"]>(null);
  /** What the server has this screen show; null for whoever is not a screen. */
  readonly screen = signal<ScreenInfo | null>(null);

  /** What neighbouring cities warn of; null: there are none. A replay knows of none. */
  readonly neighbours = signal<Neighbours | null>(null);

  private readonly client: LiveClient;
  private readonly listeners = new Set<(flush: Flush) => void>();
  private pending = emptyFlush();
  private dirty = false;
  /** Server clock minus this machine's. */
  private skew = 0;
  private beats = 0;
  private flushing: ReturnType<typeof setTimeout> | undefined;
  private flushedAt = -Infinity;
  private lastFrameAt = Date.now();
  /** Of the oldest delta that no flush has drawn yet. */
  private sentAt = NaN;

  /** `reel`: what is replayed; null: this is the present. */
  constructor(around: Surroundings, readonly reel: Reel | null = null) {
    this.client = new LiveClient(around, {
      frame: (frame) => this.take(frame),
      link: (link) => this.hear(link),
    });
  }

  /** Returns how to stop it. */
  start(): () => void {
    this.client.start();
    const beating = setInterval(() => this.tick(), BEAT_MS);
    return () => {
      this.client.stop();
      clearInterval(beating);
      clearTimeout(this.flushing);
    };
  }

  restart(): void {
    this.client.start();
  }

  /** Server time, epoch ms. */
  now(): number {
    return Date.now() + this.skew;
  }

  subscribe(listener: (flush: Flush) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(frame: ServerFrame): boolean {
    this.lastFrameAt = Date.now();
    if (frame.type === "hello" || frame.type === "pulse") {
      this.skew = Date.parse(frame.server_time) - Date.now();
    }
    if (frame.type === "pulse") this.pulse.value = frame;
    const change = apply(this.picture, frame);
    if (change.mismatch) return false;
    if (frame.type === "delta" && this.reel === null && Number.isNaN(this.sentAt)) this.sentAt = frame.sent_at ?? NaN;
    if (frame.type === "hello") this.city.value = frame.city;
    if (frame.type === "hello" || frame.type === "screen") this.screen.value = frame.screen ?? null;
    if (frame.type === "hello" || frame.type === "neighbours") this.neighbours.value = frame.neighbours ?? null;
    if (frame.type === "incident" && frame.event.type === "incident.opened") this.greet(frame.event.data);
    this.pending.snapshot ||= change.snapshot;
    change.sensors.forEach((sensor) => this.pending.sensors.add(sensor));
    change.series.forEach((series) => this.pending.series.add(series));
    this.pending.incidents ||= change.snapshot || change.incidents.length > 0;
    this.dirty ||= change.snapshot || change.series.length + change.incidents.length > 0;
    if (this.dirty) this.flushSoon();
    return true;
  }

  private hear(link: Link): void {
    this.link.value = link;
    if (link === "live") this.touch(trust(this.picture));
  }

  private greet(incident: Incident): void {
    this.fresh.value = new Set([...this.fresh.value, incident.id].slice(-50));
  }

  /** With the frames of this tick, not on a clock of its own: that would be a second wait. */
  private flushSoon(): void {
    const due = this.flushedAt + LEAST_FLUSH_MS - performance.now();
    this.flushing ??= setTimeout(() => this.flush(), Math.max(SAME_TICK_MS, due));
  }

  private flush(): void {
    clearTimeout(this.flushing);
    this.flushing = undefined;
    this.flushedAt = performance.now();
    if (!this.dirty) return;
    const flush = this.pending;
    this.pending = emptyFlush();
    this.dirty = false;
    this.advance(flush);
    if (flush.snapshot) this.epoch.value = this.picture.epoch;
    if (flush.incidents) this.incidents.value = ranked(this.picture);
    for (const listener of this.listeners) listener(flush);
    const sentAt = this.sentAt;
    this.sentAt = NaN;
    if (!Number.isNaN(sentAt)) afterPaint(() => this.client.painted(sentAt));
  }

  private advance(flush: Flush): void {
    const { observedAt } = this.picture.series;
    let newest = flush.snapshot ? NaN : this.newestAt.value;
    const see = (at: number): void => {
      if (at > newest || Number.isNaN(newest)) newest = at;
    };
    if (flush.snapshot) observedAt.forEach(see);
    else flush.series.forEach((index) => see(observedAt[index] as number));
    this.newestAt.value = newest;
  }

  private tick(): void {
    this.beats += 1;
    if (this.link.value !== "live" && this.beats % AGE_EVERY_BEATS === 0) {
      this.touch(age(this.picture, this.now()));
    }
    const silence = Date.now() - this.lastFrameAt; // this machine's time: a replay's leaps
    const late = this.link.value === "live" ? STALE_LINK_MS : LATE_LINK_MS;
    this.adrift.value = this.link.value === "refused" || silence > late;
    this.beat.value = this.now();
  }

  private touch(sensors: number[]): void {
    sensors.forEach((sensor) => this.pending.sensors.add(sensor));
    this.dirty ||= sensors.length > 0;
    if (this.dirty) this.flushSoon();
  }
}

function emptyFlush(): Flush {
  return { snapshot: false, sensors: new Set(), series: new Set(), incidents: false };
}
