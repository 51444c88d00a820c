/** The city's vital signs: one figure per metric, with its spread over all sensors. Pure. */

import { State, type Domain } from "../live/protocol";
import type { Picture } from "../live/reducer";

export type Summary = "mean" | "max" | "min" | "sum";

export interface VitalSpec {
  metric: string;
  domain: Domain;
  summary: Summary;
  name_zh: string;
  name_en: string;
}

export const VITALS: readonly VitalSpec[] = [
  vital("traffic.speed", "traffic", "mean", "平均车速", "Mean speed"),
  vital("traffic.flow", "traffic", "mean", "平均车流量", "Mean flow"),
  vital("traffic.occupancy", "traffic", "mean", "平均占有率", "Mean occupancy"),
  vital("air.pm25", "environment", "mean", "PM2.5 均值", "Mean PM2.5"),
  vital("weather.temperature", "environment", "mean", "平均气温", "Mean temperature"),
  vital("weather.rain", "environment", "max", "最大雨强", "Heaviest rain"),
  vital("water.level", "environment", "max", "最高河道水位", "Highest river level"),
  vital("noise.level", "environment", "max", "最高噪声", "Loudest noise"),
  vital("water.pressure", "utilities", "min", "最低供水压力", "Lowest mains pressure"),
  vital("drain.level", "utilities", "max", "最高排水液位", "Highest drain level"),
  vital("gas.concentration", "utilities", "max", "最高燃气浓度", "Highest gas reading"),
  vital("power.load", "utilities", "sum", "用电总负荷", "Total power load"),
  vital("power.voltage", "utilities", "min", "最低供电电压", "Lowest voltage"),
];

export interface Vital {
  spec: VitalSpec;
  unit: string;
  /** The figure, or null when no sensor has a fresh value. */
  value: number | null;
  /** Where the figure stands on `axis` (a sum stands at its mean). */
  at: number | null;
  axis: [number, number];
  normal: [number, number] | null;
  /** Sensors per step of the axis, each against the fullest: 0–1. */
  spread: number[];
  /** Series with a fresh value, and series that ever had one. */
  fresh: number;
  known: number;
  /** Highest state among the series, as `State`, and how many series are in an alarm. */
  worst: number;
  alarms: number;
}

const STEPS = 48;

/** `covered`: which series count; default: all. */
export function vitals(
  picture: Picture, specs: readonly VitalSpec[] = VITALS, covered: (series: number) => boolean = () => true,
): Vital[] {
  const columns = new Map<string, number[]>(specs.map((spec) => [spec.metric, []]));
  picture.series.metric.forEach((metric, index) => covered(index) && columns.get(metric)?.push(index));
  return specs
    .filter((spec) => picture.metrics.has(spec.metric))
    .map((spec) => measure(picture, spec, columns.get(spec.metric) ?? []));
}

function measure(picture: Picture, spec: VitalSpec, indexes: number[]): Vital {
  const { value, state } = picture.series;
  const metric = picture.metrics.get(spec.metric);
  const values: number[] = [];
  let known = 0, worst: number = State.never, alarms = 0;
  for (const index of indexes) {
    const now = state[index] as number;
    worst = Math.max(worst, now);
    if (now !== State.never) known += 1;
    if (now >= State.p4) alarms += 1;
    const figure = value[index] as number;
    if ((now === State.normal || now >= State.p4) && !Number.isNaN(figure)) values.push(figure);
  }
  const normal = normalRange(metric?.normal_low ?? null, metric?.normal_high ?? null);
  const axis = axisOf(normal, values);
  return {
    spec, unit: metric?.unit ?? "", axis, normal, known, worst, alarms,
    fresh: values.length,
    value: summarise(values, spec.summary),
    at: summarise(values, spec.summary === "sum" ? "mean" : spec.summary),
    spread: spreadOf(values, axis),
  };
}

export function summarise(values: number[], summary: Summary): number | null {
  if (values.length === 0) return null;
  if (summary === "max") return values.reduce((a, b) => Math.max(a, b));
  if (summary === "min") return values.reduce((a, b) => Math.min(a, b));
  const sum = values.reduce((a, b) => a + b, 0);
  return summary === "sum" ? sum : sum / values.length;
}

function normalRange(low: number | null, high: number | null): [number, number] | null {
  if (high === null) return null;
  return [low ?? Math.min(0, high), high];
}

/** The normal range with room on both sides, so that "how far from normal" is read at a glance. */
export function axisOf(normal: [number, number] | null, values: number[]): [number, number] {
  if (normal === null) {
    const top = values.reduce((a, b) => Math.max(a, b), 0);
    return [values.reduce((a, b) => Math.min(a, b), 0), top > 0 ? top * 1.25 : 1];
  }
  const [low, high] = normal;
  const room = (high - low) * 0.4 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

/** Position on the axis, 0–1, clamped to its ends. */
export function position(value: number, [low, high]: [number, number]): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

function spreadOf(values: number[], axis: [number, number]): number[] {
  const counts = new Array<number>(STEPS).fill(0);
  for (const value of values) {
    const step = Math.min(STEPS - 1, Math.floor(position(value, axis) * STEPS));
    counts[step] = (counts[step] as number) + 1;
  }
  const fullest = Math.max(1, ...counts);
  return counts.map((count) => count / fullest);
}

function vital(
  metric: string, domain: Domain, summary: Summary, name_zh: string, name_en: string,
): VitalSpec {
  return { metric, domain, summary, name_zh, name_en };
}
