/** The picture of the city and how each frame changes it. Pure but for the picture itself. */

import {
  State, type Area, type DeltaFrame, type Incident, type Metric, type ServerFrame,
  type SnapshotFrame, type StateName,
} from "./protocol";

/** All series of all sensors in columns; `NaN` stands for "no value" and "no time". */
export interface Picture {
  /** Rises with every snapshot: indexes of an older epoch mean nothing. */
  epoch: number;
  resume: string | null;
  city: { adcode: number; name_zh: string; name_en: string } | null;
  metrics: Map<string, Metric>;
  areas: Map<string, Area>;
  sensors: SensorColumns;
  series: SeriesColumns;
  /** Not closed, by id. */
  incidents: Map<string, Incident>;
  /** Versions at which incidents were closed: an older event must not bring one back. */
  closed: Map<string, number>;
  /** Series that this client, not the server, has called stale. */
  aged: Set<number>;
}

export interface SensorColumns {
  id: string[];
  name: string[];
  lon: number[];
  lat: number[];
  areaId: (string | null)[];
  /** Highest state of the sensor's series, as `State`. */
  state: Uint8Array;
  /** Positions of the sensor's series. */
  series: number[][];
  indexOf: Map<string, number>;
}

export interface SeriesColumns {
  sensor: Int32Array;
  metric: string[];
  value: Float64Array;
  observedAt: Float64Array;
  state: Uint8Array;
}

/** What one frame touched, so that a view redraws that and nothing else. */
export interface Change {
  snapshot: boolean;
  series: number[];
  /** Sensors whose state changed. */
  sensors: number[];
  incidents: string[];
  /** The frame does not fit the picture: ask for a new snapshot. */
  mismatch: boolean;
}

const CLOSED_KEPT = 5000;

export function emptyPicture(): Picture {
  return {
    epoch: 0, resume: null, city: null, metrics: new Map(), areas: new Map(),
    sensors: {
      id: [], name: [], lon: [], lat: [], areaId: [], state: new Uint8Array(0), series: [],
      indexOf: new Map(),
    },
    series: {
      sensor: new Int32Array(0), metric: [], value: new Float64Array(0),
      observedAt: new Float64Array(0), state: new Uint8Array(0),
    },
    incidents: new Map(), closed: new Map(), aged: new Set(),
  };
}

/** Applies one frame in place and says what it touched. */
export function apply(picture: Picture, frame: ServerFrame): Change {
  const change: Change = { snapshot: false, series: [], sensors: [], incidents: [], mismatch: false };
  switch (frame.type) {
    case "hello":
      picture.city = frame.city;
      break;
    case "snapshot":
      takeSnapshot(picture, frame, change);
      break;
    case "delta":
      takeDelta(picture, frame, change);
      break;
    case "incident":
      takeIncident(picture, frame.event.data, change);
      picture.resume = frame.resume;
      break;
    case "resync":
      picture.resume = null;
      break;
    case "pulse":
    case "screen":
    case "neighbours":
      break;
  }
  return change;
}

function takeSnapshot(picture: Picture, frame: SnapshotFrame, change: Change): void {
  const { sensors, series } = frame;
  picture.epoch += 1;
  picture.resume = frame.resume;
  picture.metrics = new Map(frame.metrics.map((metric) => [metric.metric, metric]));
  picture.areas = new Map(frame.areas.map((area) => [area.area_id, area]));
  picture.sensors = {
    id: sensors.id, name: sensors.name, lon: sensors.lon, lat: sensors.lat,
    areaId: sensors.area_id, state: new Uint8Array(sensors.id.length),
    series: sensors.id.map(() => []),
    indexOf: new Map(sensors.id.map((id, index) => [id, index])),
  };
  picture.series = {
    sensor: Int32Array.from(series.sensor), metric: series.metric,
    value: Float64Array.from(series.value, orNaN),
    observedAt: Float64Array.from(series.observed_at, orNaN),
    state: Uint8Array.from(series.state, rankOf),
  };
  picture.series.sensor.forEach((sensor, index) => picture.sensors.series[sensor]?.push(index));
  for (let index = 0; index < sensors.id.length; index++) settleSensor(picture, index);
  picture.aged.clear();
  replaceIncidents(picture, frame.incidents);
  change.snapshot = true;
}

/** A snapshot may be older than an event already seen; versions decide. */
function replaceIncidents(picture: Picture, incidents: Incident[]): void {
  const before = picture.incidents;
  picture.incidents = new Map();
  for (const incident of incidents) {
    const known = before.get(incident.id);
    const newest = known && known.version > incident.version ? known : incident;
    if ((picture.closed.get(incident.id) ?? -1) < newest.version && newest.state !== "closed") {
      picture.incidents.set(incident.id, newest);
    }
  }
}

function takeDelta(picture: Picture, frame: DeltaFrame, change: Change): void {
  const { series } = picture;
  const size = series.state.length;
  if (frame.series.some((index) => index < 0 || index >= size)) {
    change.mismatch = true;
    picture.resume = null;
    return;
  }
  const touched = new Set<number>();
  frame.series.forEach((index, row) => {
    const observedAt = orNaN(frame.observed_at[row]);
    if (observedAt < (series.observedAt[index] as number)) return;
    if (!Number.isNaN(observedAt)) {
      series.observedAt[index] = observedAt;
      series.value[index] = orNaN(frame.value[row]);
    }
    series.state[index] = rankOf(frame.state[row]);
    picture.aged.delete(index);
    touched.add(series.sensor[index] as number);
    change.series.push(index);
  });
  for (const sensor of touched) {
    if (settleSensor(picture, sensor)) change.sensors.push(sensor);
  }
  picture.resume = frame.resume;
}

function takeIncident(picture: Picture, incident: Incident, change: Change): void {
  const { incidents, closed } = picture;
  const seen = Math.max(incidents.get(incident.id)?.version ?? -1, closed.get(incident.id) ?? -1);
  if (incident.version <= seen) return;
  change.incidents.push(incident.id);
  if (incident.state === "closed") {
    incidents.delete(incident.id);
    closed.delete(incident.id);
    closed.set(incident.id, incident.version);
    if (closed.size > CLOSED_KEPT) closed.delete(closed.keys().next().value as string);
    return;
  }
  closed.delete(incident.id);
  incidents.set(incident.id, incident);
}

/** True when the sensor's state changed. */
function settleSensor(picture: Picture, sensor: number): boolean {
  let highest: number = State.never;
  for (const index of picture.sensors.series[sensor] ?? []) {
    highest = Math.max(highest, picture.series.state[index] as number);
  }
  if (picture.sensors.state[sensor] === highest) return false;
  picture.sensors.state[sensor] = highest;
  return true;
}

/**
 * While the link is down nobody else would: marks as stale what was normal but whose newest
 * reading is older than three of the metric's intervals at `now` (server time, epoch ms).
 * Returns the sensors whose state changed.
 */
export function age(picture: Picture, now: number): number[] {
  const { series, metrics } = picture;
  const touched = new Set<number>();
  for (let index = 0; index < series.state.length; index++) {
    if (series.state[index] !== State.normal) continue;
    const interval = metrics.get(series.metric[index] as string)?.interval_seconds ?? 60;
    if (now - (series.observedAt[index] as number) > 3000 * interval) {
      series.state[index] = State.stale;
      picture.aged.add(index);
      touched.add(series.sensor[index] as number);
    }
  }
  return [...touched].filter((sensor) => settleSensor(picture, sensor));
}

/** The server can be heard again and is the judge: takes back what `age` did. */
export function trust(picture: Picture): number[] {
  const touched = new Set<number>();
  for (const index of picture.aged) {
    picture.series.state[index] = State.normal;
    touched.add(picture.series.sensor[index] as number);
  }
  picture.aged.clear();
  return [...touched].filter((sensor) => settleSensor(picture, sensor));
}

/** Open incidents, the most urgent first: priority, then the newest. */
export function ranked(picture: Picture): Incident[] {
  return [...picture.incidents.values()].sort(
    (a, b) =>
      a.priority - b.priority ||
      Date.parse(b.opened_at) - Date.parse(a.opened_at) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** Whether it has a row of its own: no part of another, not merged. */
export function standsAlone(incident: Incident): boolean {
  return incident.parent_id == null && incident.merged_into == null;
}

/** What stands under another, the most urgent first as given. */
export function partsOf(whole: Incident, open: readonly Incident[]): Incident[] {
  return open.filter((one) => one.parent_id === whole.id);
}

/** How many more there are in it than the one that its title names; of a flood: all. */
export function further(incident: Incident): number {
  return incident.kind === "flood" ? incident.members : Math.max(0, (incident.members ?? 1) - 1);
}

function orNaN(value: number | null | undefined): number {
  return value ?? NaN;
}

function rankOf(state: StateName | undefined): number {
  return State[state ?? "never"] ?? State.bad;
}
