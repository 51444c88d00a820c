/** More alarms than anybody can take in: gathered by cause and area, in an order that stays. Pure. */

import type { Incident, Priority } from "../live/protocol";

export const WINDOW_MS = 600_000;
export const STARTS_ABOVE = 10;
export const ENDS_BELOW = 5;

export interface Group {
  /** Cause, area, kind. */
  key: string;
  metric: string | null;
  areaId: string | null;
  /** The most urgent first, as given. */
  members: Incident[];
  priority: Priority;
  waiting: number;
}

export interface Flood {
  on: boolean;
  /** New alarms within the last ten minutes. */
  recent: number;
  /** Ids of incidents of priority 1 and keys of groups, in the order in which they came. */
  order: string[];
}

export const CALM: Flood = { on: false, recent: 0, order: [] };

/** `open`: every open incident, the most urgent first. Begins above 10 new ones in 10 minutes, or when the
 * server says so; ends below 5, when the server does not. */
export function flooded(before: Flood, open: readonly Incident[], now: number): Flood {
  const told = open.some((incident) => incident.kind === "flood");
  const recent = open.filter((incident) => counts(incident) && now - Date.parse(incident.opened_at) < WINDOW_MS).length;
  const on = told || (before.on ? recent >= ENDS_BELOW : recent > STARTS_ABOVE);
  if (!on) return { on, recent, order: [] };
  const [single, groups] = gathered(open);
  const order = kept(before.order, [...single.map((one) => one.id), ...groups.map((group) => group.key)]);
  return { on, recent, order };
}

/** Those of priority 1 alone, and the rest in groups. What a flood holds is grouped in its stead. */
export function gathered(open: readonly Incident[]): [Incident[], Group[]] {
  const floods = new Set(open.filter((one) => one.kind === "flood").map((one) => one.id));
  const own = open.filter((one) => one.kind !== "flood" && one.merged_into == null
    && (one.parent_id == null || floods.has(one.parent_id)));
  const groups = new Map<string, Group>();
  for (const incident of own) {
    if (incident.priority > 1) into(groups, incident);
  }
  const gravest = (a: Group, b: Group): number => a.priority - b.priority || b.members.length - a.members.length;
  return [own.filter((one) => one.priority === 1), [...groups.values()].sort(gravest)];
}

/** The same things in the order that is kept; what it does not name comes last. */
export function ordered<T>(things: readonly T[], key: (thing: T) => string, order: readonly string[]): T[] {
  const place = new Map(order.map((name, index) => [name, index]));
  const at = (thing: T): number => place.get(key(thing)) ?? order.length;
  return [...things].sort((a, b) => at(a) - at(b));
}

function into(groups: Map<string, Group>, incident: Incident): void {
  const cause = incident.metric ?? incident.category ?? incident.rule_id ?? incident.title;
  const key = `${cause}|${incident.area_id ?? ""}|${incident.kind}`;
  const found = groups.get(key) ?? {
    key, metric: incident.metric, areaId: incident.area_id, members: [], priority: incident.priority, waiting: 0,
  };
  found.members.push(incident);
  found.priority = Math.min(found.priority, incident.priority) as Priority;
  if (incident.state === "open") found.waiting += 1;
  groups.set(key, found);
}

function kept(before: readonly string[], now: readonly string[]): string[] {
  const still = new Set(now);
  const known = before.filter((name) => still.has(name));
  return [...known, ...now.filter((name) => !known.includes(name))];
}

/** What is silenced or long past alarms nobody. */
function counts(incident: Incident): boolean {
  return incident.kind !== "flood" && incident.suppressed == null && !incident.historical;
}
