/** The frames of `WS /v1/live`, protocol 1. Times are RFC 3339 strings or epoch milliseconds. */

import type { Neighbours } from "./neighbours";

export const PROTOCOL = 1;

/** A series' state on the wire. An alarm wins over `stale`. */
export type StateName = "never" | "normal" | "stale" | "bad" | "p4" | "p3" | "p2" | "p1";

/** Rank of each state: a sensor shows the highest of its series. */
export const STATES: readonly StateName[] = [
  "never", "normal", "stale", "bad", "p4", "p3", "p2", "p1",
];
export const State = { never: 0, normal: 1, stale: 2, bad: 3, p4: 4, p3: 5, p2: 6, p1: 7 } as const;

export type Domain = "traffic" | "environment" | "utilities";
export const DOMAINS: readonly Domain[] = ["traffic", "environment", "utilities"];
/** `platform`: of the platform itself, which stands nowhere on the map. */
export type MetricDomain = Domain | "platform";
export const METRIC_DOMAINS: readonly MetricDomain[] = [...DOMAINS, "platform"];
export type Priority = 1 | 2 | 3 | 4;

export interface Metric {
  metric: string;
  domain: MetricDomain;
  unit: string;
  name_zh: string;
  name_en: string;
  normal_low: number | null;
  normal_high: number | null;
  interval_seconds: number;
}

export interface Area {
  area_id: string;
  name_zh: string;
  name_en: string;
}

export type IncidentState =
  | "open" | "acknowledged" | "dispatched" | "handling" | "resolved" | "closed";

/** As in `shared/contracts/incident.py`; `version` rises by one with every step. */
export interface Incident {
  id: string;
  title: string;
  state: IncidentState;
  alert_state: "active" | "cleared" | "none";
  grade: number;
  priority: Priority;
  area_id: string | null;
  subjects: string[];
  rule_id: string | null;
  rule_version: number | null;
  metric: string | null;
  value: number | null;
  threshold: number | null;
  opened_at: string;
  updated_at: string;
  observed_at: string;
  deadline_at: string | null;
  department: string | null;
  historical: boolean;
  version: number;
  kind: "alert" | "report" | "flood";
  /** What it is a consequence or a part of: it has no row of its own. */
  parent_id: string | null;
  /** Where its members went; it is closed then. */
  merged_into: string | null;
  links: string[];
  cause: string | null;
  category: string | null;
  warning: "red" | "orange" | "yellow" | "blue" | null;
  /** Alerts gathered in it; of a flood: incidents. */
  members: number;
  /** Subject, metric and priority of each series in alarm now. */
  alarms: [string, string, Priority][];
  suppressed: Suppression | null;
  flapping: boolean;
  assigned_area: string | null;
  step_due_at: string | null;
  /** The current step was not taken in time, and that has been told. */
  overdue: boolean;
  /** Of grade, priority and warning, those that people have set. */
  held: string[];
}

/** Why an incident is recorded but tells nobody. */
export interface Suppression {
  by: "silence" | "inhibition" | "maintenance" | "shelved";
  id: string;
  until: string | null;
}

/** `sign`: spike, season, shift…; `expected`, `observed`: in the metric's unit; `odds`: one in so many readings. */
export interface Unusual {
  sign: string;
  expected: number | null;
  observed: number | null;
  odds: number;
  since: string | null;
}

/** An early warning: when a limit will be passed, between what times, and in words. */
export interface Foreseen {
  limit: number;
  side: "above" | "below";
  expected: number;
  at: string;
  earliest: string;
  latest: string | null;
  made_at: string;
  zh: string;
  en: string;
}

/** The reading behind a step. */
export interface Cause {
  alert_id: string;
  rule_id: string;
  rule_version: number;
  subject: string;
  metric: string | null;
  observed_at: string;
  value: number | null;
  unusual?: Unusual | null;
  foreseen?: Foreseen | null;
}

export interface IncidentEvent {
  id: string;
  type: string;
  timestamp: string;
  actor: string;
  note: string;
  data: Incident;
  cause: Cause | null;
}

export interface Filter {
  domains: Domain[] | null;
  areas: string[] | null;
  /** West, south, east, north: narrows the sensors, never the incidents. */
  bbox?: [number, number, number, number] | null;
}

export interface ClientHello {
  type: "hello";
  resume: string | null;
  filter: Filter;
  /** With `gzip` snapshots come as binary messages. */
  accept?: string[];
}

/** Another filter from now on: the answer is `resync` and a snapshot. */
export interface ClientFilter {
  type: "filter";
  filter: Filter;
}

/** The delta with this `sent_at` is on the screen now. */
export interface ClientPainted {
  type: "painted";
  sent_at: number;
}

/** A saved view; empty `domains` and `panels`: all. `seconds`: in a playlist, else null. */
export interface ShownView {
  view_id: string;
  name: string;
  centre: { lon: number; lat: number; zoom: number } | null;
  area_id: string | null;
  domains: Domain[];
  theme: "dark" | "light";
  language: "zh" | "en";
  panels: string[];
  seconds: number | null;
}

/** What a screen token is bound to: views in turn; none: the whole city. */
export interface ScreenInfo {
  screen_id: string;
  name: string;
  views: ShownView[];
}

/** Asks for a pulse now. */
export interface ClientPing {
  type: "ping";
}

export interface HelloFrame {
  type: "hello";
  protocol: number;
  server_time: string;
  tick_ms: number;
  city: { adcode: number; name_zh: string; name_en: string };
  /** For sockets of a screen token. */
  screen?: ScreenInfo | null;
  neighbours?: Neighbours | null;
}

/** All that neighbouring cities warn of now, in place of what `hello` said. */
export interface NeighboursFrame {
  type: "neighbours";
  neighbours: Neighbours | null;
}

/** What this screen is to show has been changed. */
export interface ScreenFrame {
  type: "screen";
  screen: ScreenInfo;
}

export interface SnapshotFrame {
  type: "snapshot";
  metrics: Metric[];
  areas: Area[];
  sensors: { id: string[]; name: string[]; lon: number[]; lat: number[]; area_id: (string | null)[] };
  series: {
    sensor: number[];
    metric: string[];
    value: (number | null)[];
    observed_at: (number | null)[];
    state: StateName[];
  };
  incidents: Incident[];
  resume: string;
}

/** `series` are positions in the last snapshot's columns. */
export interface DeltaFrame {
  type: "delta";
  series: number[];
  value: (number | null)[];
  observed_at: (number | null)[];
  state: StateName[];
  resume: string;
  /** Server time, epoch ms. */
  sent_at?: number;
}

export interface IncidentFrame {
  type: "incident";
  event: IncidentEvent;
  resume: string;
}

/** Milliseconds; null where nothing was measured. */
export interface Latency {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** From one hop to the next: observed → accepted → logged → pictured → sent → painted. `shown`:
 * accepted → painted. */
export type Hops = Record<"accepted" | "logged" | "pictured" | "sent" | "painted" | "shown", Latency>;

/** Every 5 s. `lag_ms`: log → picture; `latency_ms`: accepted → sent. */
export interface PulseFrame {
  type: "pulse";
  server_time: string;
  lag_ms: number | null;
  latency_ms: Latency | null;
  clients: number;
  dropped: number;
  hops?: Hops;
  /** Of this screen: the longest it took to take what was sent; updates that came together. */
  behind_ms?: number;
  conflated?: number;
}

export interface ResyncFrame {
  type: "resync";
  reason: string;
}

export type ServerFrame =
  | HelloFrame | SnapshotFrame | DeltaFrame | IncidentFrame | PulseFrame | ResyncFrame
  | ScreenFrame | NeighboursFrame;

const FRAME_TYPES = new Set(["hello", "snapshot", "delta", "incident", "pulse", "resync", "screen", "neighbours"]);

/** Text of one socket message → frame; null for what this version does not know. Throws SyntaxError. */
export function parseFrame(text: string): ServerFrame | null {
  const frame = JSON.parse(text) as { type?: unknown } | null;
  if (frame === null || typeof frame !== "object" || typeof frame.type !== "string") return null;
  return FRAME_TYPES.has(frame.type) ? (frame as ServerFrame) : null;
}
