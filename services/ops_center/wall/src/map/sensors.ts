/** The picture as the map's two sensor sources. Pure. */

import type { Feature, FeatureCollection, Point } from "geojson";

import { State, type MetricDomain } from "../live/protocol";
import type { Picture, SensorColumns } from "../live/reducer";

export const ABNORMAL_SHOWN = 500;

/** The domain of a sensor's first series. */
export function domainOf(picture: Picture, sensor: number): MetricDomain {
  const series = picture.sensors.series[sensor]?.[0];
  const metric = series === undefined ? undefined : picture.series.metric[series];
  return picture.metrics.get(metric ?? "")?.domain ?? "utilities";
}

/** Every sensor once; its state as of now in `s`, later states come as feature state. */
export function sensorFeatures(picture: Picture): FeatureCollection<Point> {
  const { sensors } = picture;
  const features: Feature<Point>[] = [];
  for (let index = 0; index < sensors.id.length; index++) {
    const feature = at(picture, index);
    if (feature) features.push(feature);
  }
  return { type: "FeatureCollection", features };
}

/** The same sensors in the same order at the same places: states are all that can differ. */
export function samePlaces(one: SensorColumns, other: SensorColumns): boolean {
  return one.id.length === other.id.length && one.id.every((id, index) =>
    id === other.id[index] && one.lon[index] === other.lon[index] && one.lat[index] === other.lat[index]);
}

/** The gravest alarms first, never more than `ABNORMAL_SHOWN`. `held`: someone is on it. */
export function abnormalFeatures(
  picture: Picture, label: (series: number) => string,
): FeatureCollection<Point> {
  const { state } = picture.sensors;
  const alarmed: number[] = [];
  state.forEach((rank, index) => rank >= State.p4 && alarmed.push(index));
  alarmed.sort((a, b) => (state[b] as number) - (state[a] as number) || a - b);
  const held = heldSubjects(picture);
  const features: Feature<Point>[] = [];
  for (const index of alarmed.slice(0, ABNORMAL_SHOWN)) {
    const feature = at(picture, index);
    if (!feature) continue;
    const priority = State.p1 - (state[index] as number) + 1;
    const series = worstSeries(picture, index);
    feature.properties = {
      ...feature.properties, priority, held: held.has(picture.sensors.id[index] as string),
      name: picture.sensors.name[index] ?? "", reading: label(series),
    };
    features.push(feature);
  }
  return { type: "FeatureCollection", features };
}

/** The series that gives the sensor its state. */
export function worstSeries(picture: Picture, sensor: number): number {
  const all = picture.sensors.series[sensor] ?? [];
  return all.find((index) => picture.series.state[index] === picture.sensors.state[sensor]) ?? -1;
}

function heldSubjects(picture: Picture): Set<string> {
  const held = new Set<string>();
  for (const incident of picture.incidents.values()) {
    if (incident.state !== "open") incident.subjects.forEach((subject) => held.add(subject));
  }
  for (const incident of picture.incidents.values()) {
    if (incident.state === "open") incident.subjects.forEach((subject) => held.delete(subject));
  }
  return held;
}

/** Null for a sensor without a place (another city's recorded data). */
function at(picture: Picture, index: number): Feature<Point> | null {
  const { sensors } = picture;
  const lon = sensors.lon[index], lat = sensors.lat[index];
  if (typeof lon !== "number" || typeof lat !== "number") return null;
  return {
    type: "Feature", id: index,
    geometry: { type: "Point", coordinates: [lon, lat] },
    properties: { index, domain: domainOf(picture, index), s: sensors.state[index] ?? 0 },
  };
}
