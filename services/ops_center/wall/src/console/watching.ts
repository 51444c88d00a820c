/** Which rules watch a sensor, and what stands near it. Pure. */

import type { SensorColumns } from "../live/reducer";
import type { Limits } from "./condition";

export interface Watcher extends Limits {
  metric: string;
  sensors: string[];
  areas: string[];
  enabled: boolean;
}

/** As the engine decides it: by metric, by id or glob, by area. */
export function watches(rule: Watcher, sensorId: string, metrics: readonly string[], areaIds: readonly (string | null)[]): boolean {
  if (!rule.enabled || !metrics.includes(rule.metric)) return false;
  if (rule.areas.length > 0 && !rule.areas.some((area) => areaIds.includes(area))) return false;
  return rule.sensors.length === 0 || rule.sensors.some((glob) => fits(glob, sensorId));
}

function fits(glob: string, id: string): boolean {
  const pattern = [...glob].map((sign) => (sign === "*" ? ".*" : sign === "?" ? "." : sign.replace(/[\\^$+.()|[\]{}]/g, "\\$&"))).join("");
  return new RegExp(`^${pattern}$`).test(id);
}

const EARTH_METRES = 6_371_000;

/** Metres between two places given in degrees, as good as exact within a city. */
export function metres(from: { lon: number; lat: number }, to: { lon: number; lat: number }): number {
  const radians = Math.PI / 180;
  const x = (to.lon - from.lon) * radians * Math.cos((from.lat + to.lat) / 2 * radians);
  const y = (to.lat - from.lat) * radians;
  return Math.hypot(x, y) * EARTH_METRES;
}

export interface Neighbour {
  id: string;
  index: number;
  metres: number;
}

/** The nearest, without itself. */
export function neighboursOf(sensors: SensorColumns, sensorId: string, at: { lon: number; lat: number }, count: number): Neighbour[] {
  return sensors.id
    .map((id, index) => ({ id, index, metres: metres(at, { lon: sensors.lon[index] as number, lat: sensors.lat[index] as number }) }))
    .filter((one) => one.id !== sensorId && Number.isFinite(one.metres))
    .sort((a, b) => a.metres - b.metres).slice(0, count);
}
