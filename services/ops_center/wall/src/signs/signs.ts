/** The city's vital signs as the server tells them: an index per domain. */

import type { Domain } from "../live/protocol";

export type Band = "steady" | "watch" | "strained" | "critical" | "unknown";
export type Cause = "alarm" | "outside" | "silent" | "bad";

export interface Sensors {
  counted: number;
  normal: number;
  alarm: number;
  outside: number;
  silent: number;
  bad: number;
  never: number;
}

export interface Earlier {
  at: string;
  index: number | null;
}

export interface Figure {
  metric: string;
  summary: "mean" | "max" | "min" | "sum";
  unit: string;
  name_zh: string;
  name_en: string;
  value: number | null;
  yesterday: number | null;
  last_week: number | null;
}

export interface Sign {
  area_id: string;
  parent_id: string | null;
  name_zh: string;
  name_en: string;
  domain: Domain;
  index: number | null;
  band: Band;
  heard: number;
  sensors: Sensors;
  yesterday: Earlier | null;
  last_week: Earlier | null;
  figures: Figure[];
}

export interface Contribution {
  sensor_id: string;
  name: string;
  metric: string;
  name_zh: string;
  name_en: string;
  unit: string;
  cause: Cause;
  state: string;
  value: number | null;
  normal: [number | null, number | null];
  outside_by: number | null;
  since: string | null;
  at_least: boolean;
  points: number;
}

export interface Explanation extends Sign {
  contributions: Contribution[];
  more: number;
}

/** Now minus then, in tenths; null where either is unknown. Pure. */
export function rise(now: number | null, then: Earlier | null | undefined): number | null {
  if (now === null || then?.index == null) return null;
  return Math.round((now - then.index) * 10) / 10;
}

/** An index as it is written: one decimal, but a plain 100. */
export function written(index: number | null): string {
  return index === null ? "—" : index === 100 ? "100" : index.toFixed(1);
}
