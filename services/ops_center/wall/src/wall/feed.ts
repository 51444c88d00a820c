/** Keeps the trends' lines: chooses the series, loads their past, appends what arrives. */

import type { Board, Flush } from "./board";
import { QUARTER_MS, bandOf, forecast, type Band } from "./forecast";
import { history } from "./history";
import { Line, TRENDS, WINDOW_MS, representative, type TrendSpec } from "./trends";

export const POINTS = 180;
const CHOOSE_EVERY_MS = 15_000;
/** Walls do not all ask at the turn of a quarter. */
const ASIDE_MS = 60_000;

export interface Trend {
  spec: TrendSpec;
  sensorId: string | null;
  line: Line;
  /** The next hours, where they are foretold. */
  band: Band | null;
}

export class TrendFeed {
  readonly trends: Trend[] = TRENDS.map((spec) => ({ spec, sensorId: null, line: new Line(), band: null }));
  /** Position of each trend's series in the present snapshot, or -1. */
  private readonly series = TRENDS.map(() => -1);
  private chosenAt = 0;
  private readonly aside = Math.random() * ASIDE_MS;
  private quarter = 0;

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
    this.foretellAll(now);
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
      trend.band = null;
      if (sensorId === null) return;
      this.append(place, index);
      void this.load(trend, sensorId, now);
      void this.foretell(trend, sensorId);
    });
  }

  private append(place: number, index: number): void {
    const { observedAt, value } = this.board.picture.series;
    const { line } = this.trends[place] as Trend;
    line.push({ at: observedAt[index] as number, value: value[index] as number });
    line.trim(this.board.now());
  }

  /** A forecast is made anew every quarter of an hour. */
  private foretellAll(now: number): void {
    const quarter = Math.floor((now - this.aside) / QUARTER_MS);
    const first = this.quarter === 0; // whoever is chosen is foretold already
    if (quarter === this.quarter) return;
    this.quarter = quarter;
    if (first) return;
    for (const trend of this.trends) if (trend.sensorId !== null) void this.foretell(trend, trend.sensorId);
  }

  /** Of what is replayed, the next hours are known. */
  private async foretell(trend: Trend, sensorId: string): Promise<void> {
    if (this.board.reel !== null) return;
    const found = await forecast(sensorId, trend.spec.metric).catch(() => null);
    if (trend.sensorId === sensorId) trend.band = bandOf(found);
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
