/** How a map keeps up with a living picture: at once while it can, in a crowd every two seconds. */

import { State } from "../live/protocol";
import type { Picture } from "../live/reducer";
import { CROWD } from "./cells";
import type { CityMap } from "./city";

const EVERY_MS = 2000; // the figures beside alarms, and a crowd's states

/** What has changed since the last time. */
export interface News {
  snapshot: boolean;
  incidents: boolean;
  sensors: ReadonlySet<number>;
  series: ReadonlySet<number>;
}

/** Every drawing of a map costs as much as the map is large: a crowd's are gathered, but what is grave never waits. */
export class Following {
  private readonly changed = new Set<number>();
  private due = false;
  private drawnAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly map: Pick<CityMap, "setPicture" | "setStates" | "setAbnormal">, private readonly picture: Picture,
  ) {
    if (picture.epoch > 0) map.setPicture(picture);
  }

  hear(news: News): void {
    if (news.snapshot) {
      this.stop();
      return this.map.setPicture(this.picture);
    }
    news.sensors.forEach((sensor) => this.changed.add(sensor));
    this.due ||= news.incidents || news.sensors.size > 0 || [...news.series].some((series) => this.isAlarm(series));
    if (!this.due) return;
    const left = this.isUrgent(news) ? 0 : this.drawnAt + EVERY_MS - performance.now();
    if (left <= 0) this.draw();
    else this.timer ??= setTimeout(() => this.draw(), left);
  }

  /** Forget what waits. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.changed.clear();
    this.due = false;
  }

  private draw(): void {
    this.drawnAt = performance.now();
    this.map.setStates(this.picture, [...this.changed]);
    this.map.setAbnormal(this.picture);
    this.stop();
  }

  private isUrgent(news: News): boolean {
    const { id, state } = this.picture.sensors;
    const least = id.length > CROWD ? State.p2 : State.never;
    return news.incidents || [...news.sensors].some((sensor) => (state[sensor] ?? 0) >= least);
  }

  private isAlarm(series: number): boolean {
    return (this.picture.series.state[series] ?? 0) >= State.p4;
  }
}
