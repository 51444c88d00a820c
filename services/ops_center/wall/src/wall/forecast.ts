/** The next hours of one series, from `GET /v1/forecast`. */

import { get } from "../api";

/** The mean that is expected around `at`, and the band in which four of five lie. */
export interface Ahead {
  hours: number;
  at: string;
  expected: number;
  low: number;
  high: number;
}

/** How good forecasts so many hours ahead were lately: mean absolute errors, ours and of taking yesterday's value. */
export interface Record {
  hours: number;
  mae: number;
  naive_mae: number | null;
  inside: number;
}

export interface Forecast {
  state: "ready" | "not_chosen" | "too_little" | "gap" | "silent";
  why: { zh: string; en: string } | null;
  made_at: string | null;
  last: { at: string; value: number } | null;
  items: Ahead[];
  lately: Record[];
}

/** Columns of a chart: times (epoch seconds), what is expected, the band's edges. */
export type Band = [number[], number[], number[], number[]];

export const QUARTER_MS = 900_000;

export function forecast(sensorId: string, metric: string, signal?: AbortSignal): Promise<Forecast> {
  return get<Forecast>("/v1/forecast", { sensor_id: sensorId, metric }, signal);
}

/** The band, which opens from the newest known mean; null where nothing is foretold. */
export function bandOf(found: Forecast | null): Band | null {
  if (found === null || found.state !== "ready" || found.last === null) return null;
  const { at, value } = found.last;
  const points = [{ at, expected: value, low: value, high: value }, ...found.items];
  return [
    points.map((one) => Date.parse(one.at) / 1000), points.map((one) => one.expected),
    points.map((one) => one.low), points.map((one) => one.high),
  ];
}
