/** Keeps the trends' lines: chooses the series, loads their past, appends what arrives. */

import type { Board, Flush } from "./board";
import { history } from "./history";
import { Line, TRENDS, WINDOW_MS, representative, type TrendSpec } from "./trends";

export const POINTS = 180;
const CHOOSE_EVERY_MS = 15_000;

export interface Trend {
  spec: TrendSpec;
  sensorId: string | null;
  line: Line;
}

export class TrendFeed {
  readonly trends: Trend[] = TRENDS.map((spec) => ({ spec, sensorId: null, line: new Line() }));
  /** Position of each trend's series in the present snapshot, or -1. */
  private readonly series = TRENDS.map(() => -1);
  private chosenAt = 0;

  /** `covers`: whether an area is one whose sensors may be shown. */
  constructor(private readonly board: Board, private readonly covers: (areaId: string | null) => boolean) {}

  /** Another view: choose anew. */
  rechoose(): void {
    if (this.board.picture.epoch > 0) this.choose(this.board.now());
  }

  take(flush: Flush): void {
    const now = this.board.now();
    if (flush.snapshot) this.relocate(now);
    if (flush.snapshot || Date.now() - this.chosenAt > CHOOSE_EVERY_MS) this.choose(now);
    this.series.forEach((index, place) => flush.series.has(index) && this.append(place, index));
  }

  /** Indexes of an older snapshot mean nothing: find each series again by sensor and metric. */
  private relocate(now: number): void {
    const { sensors, series } = this.board.picture;
    this.trends.forEach((trend, place) => {
      // A replay may have gone back: what is later than now has not happened.
      if ((trend.line.at[trend.line.at.length - 1] ?? 0) > now) trend.sensorId = null;
      const { sensorId, spec } = trend;
      const sensor = sensors.indexOf.get(sensorId ?? "");
      const own = sensor === undefined ? [] : sensors.series[sensor] ?? [];
      this.series[place] = own.find((index) => series.metric[index] === spec.metric) ?? -1;
    });
  }

  private choose(now: number): void {
    this.chosenAt = Date.now();
    const { sensors, series } = this.board.picture;
    const covered = (index: number): boolean => this.covers(sensors.areaId[series.sensor[index] as number] ?? null);
    this.trends.forEach((trend, place) => {
      const before = this.series[place] as number;
      const kept = before >= 0 && covered(before) ? before : -1;
      const index = representative(this.board.picture, trend.spec, kept, covered);
      const sensorId = index < 0 ? null : sensors.id[series.sensor[index] as number] ?? null;
      this.series[place] = index;
      if (sensorId === trend.sensorId) return;
      trend.sensorId = sensorId;
      trend.line = new Line();
      if (sensorId === null) return;
      this.append(place, index);
      void this.load(trend, sensorId, now);
    });
  }

  private append(place: number, index: number): void {
    const { observedAt, value } = this.board.picture.series;
    const { line } = this.trends[place] as Trend;
    line.push({ at: observedAt[index] as number, value: value[index] as number });
    line.trim(this.board.now());
  }

  private async load(trend: Trend, sensorId: string, now: number): Promise<void> {
    const { line, spec } = trend;
    try {
      line.fill(await history(sensorId, spec.metric, now - WINDOW_MS, now, POINTS));
    } catch {
      // Without history the line grows from now on.
    }
  }
}
