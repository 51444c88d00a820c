/** Which series the trends show, and the points they have. Pure. */

import { State } from "../live/protocol";
import type { Picture } from "../live/reducer";

/** `worst`: on which side of its range this metric is at its worst. */
export interface TrendSpec {
  metric: string;
  worst: "high" | "low";
}

export const TRENDS: readonly TrendSpec[] = [
  { metric: "traffic.speed", worst: "low" },
  { metric: "traffic.flow", worst: "high" },
  { metric: "air.pm25", worst: "high" },
  { metric: "weather.rain", worst: "high" },
  { metric: "water.level", worst: "high" },
  { metric: "water.pressure", worst: "low" },
  { metric: "gas.concentration", worst: "high" },
  { metric: "power.load", worst: "high" },
];

export const WINDOW_MS = 3 * 3600_000;
const SHORTEST_WINDOW_MS = 10 * 60_000;
/** So much of a forecast is shown. */
export const AHEAD_MS = 3600_000;

/**
 * The series to show for a metric: the one in the gravest alarm; else the one shown now, as long
 * as it is fresh; else the one nearest to trouble. -1 when none ever had a value. `covered`: which
 * series may be shown; default: all.
 */
export function representative(
  picture: Picture, spec: TrendSpec, shown: number, covered: (series: number) => boolean = () => true,
): number {
  const { metric, state, value } = picture.series;
  let best = -1, bestState = -1, bestValue = 0;
  const sign = spec.worst === "high" ? 1 : -1;
  for (let index = 0; index < state.length; index++) {
    if (metric[index] !== spec.metric || Number.isNaN(value[index] as number)) continue;
    if (!covered(index)) continue;
    const now = gravity(state[index] as number, index === shown);
    const figure = sign * (value[index] as number);
    if (now > bestState || (now === bestState && figure > bestValue)) {
      [best, bestState, bestValue] = [index, now, figure];
    }
  }
  return best;
}

/** Orders candidates: alarms, then what is shown already, then normal, then what has gone quiet. */
function gravity(state: number, shown: boolean): number {
  if (state >= State.p4) return state + (shown ? 0.5 : 0);
  if (state === State.normal) return shown ? 3 : 2;
  return state === State.never ? -1 : 1;
}

/** Columns for a chart: a null where nothing was read for longer than `longest` ms, so that no
 * line is drawn over it. Times in seconds. */
export function drawable(
  at: readonly number[], value: readonly number[], longest: number,
): [number[], (number | null)[]] {
  const x: number[] = [], y: (number | null)[] = [];
  at.forEach((moment, index) => {
    const before = at[index - 1];
    if (before !== undefined && moment - before > longest) {
      x.push((before + moment) / 2000);
      y.push(null);
    }
    x.push(moment / 1000);
    y.push(value[index] as number);
  });
  return [x, y];
}

/** Silent for three intervals is a gap; `resolution`: ms between two points of history. */
export function longestStep(intervalSeconds: number | undefined, resolution: number): number {
  return 3 * Math.max(1000 * (intervalSeconds ?? 60), resolution);
}

export interface Point {
  /** Epoch ms. */
  at: number;
  value: number;
}

/** Points in time order, at most one per moment, nothing older than the window. */
export class Line {
  readonly at: number[] = [];
  readonly value: number[] = [];

  push(point: Point): boolean {
    const last = this.at[this.at.length - 1] ?? -Infinity;
    if (point.at < last || Number.isNaN(point.at) || Number.isNaN(point.value)) return false;
    if (point.at === last) {
      const changed = this.value[this.value.length - 1] !== point.value;
      this.value[this.value.length - 1] = point.value;
      return changed;
    }
    this.at.push(point.at);
    this.value.push(point.value);
    return true;
  }

  /** Puts history before what has arrived live meanwhile. */
  fill(history: Point[]): void {
    const first = this.at[0] ?? Infinity;
    const older = history.filter((point) => point.at < first).sort((a, b) => a.at - b.at);
    this.at.unshift(...older.map((point) => point.at));
    this.value.unshift(...older.map((point) => point.value));
  }

  trim(now: number): void {
    const keep = this.at.findIndex((at) => at >= now - WINDOW_MS);
    const drop = keep < 0 ? this.at.length : keep;
    this.at.splice(0, drop);
    this.value.splice(0, drop);
  }

  /** From the first point, or three hours, whichever is shorter: a young city fills its charts. */
  range(now: number): [number, number] {
    const first = this.at[0] ?? now;
    return [Math.min(now - SHORTEST_WINDOW_MS, Math.max(now - WINDOW_MS, first)), now];
  }
}
