/** Which incidents the queue shows, and in which order. Pure. */

import type { Incident, IncidentState, Priority } from "../live/protocol";
import type { Grant } from "../login/session";

/** `working`: between acknowledgement and feedback. */
export type Stage = "all" | "open" | "working" | "resolved" | "closed";

export interface QueueFilter {
  stage: Stage;
  priorities: ReadonlySet<Priority>;
  area: string;
  text: string;
}

export const STAGES: readonly Stage[] = ["all", "open", "working", "resolved", "closed"];
export const EVERYTHING: QueueFilter = { stage: "all", priorities: new Set(), area: "", text: "" };

/** The one area that all of somebody's roles are for: where he looks first. null: there is none. */
export function homeArea(grants: readonly Grant[]): string | null {
  const areas = new Set(grants.map((one) => one.area_id));
  const [home = null] = areas;
  return areas.size === 1 ? home : null;
}

const STAGE_STATES: Record<Stage, readonly IncidentState[]> = {
  all: ["open", "acknowledged", "dispatched", "handling", "resolved"],
  open: ["open"],
  working: ["acknowledged", "dispatched", "handling"],
  resolved: ["resolved"],
  closed: ["closed"],
};

export function inStage(incident: Incident, stage: Stage): boolean {
  return STAGE_STATES[stage].includes(incident.state);
}

/** `nameOf`: a sensor's name, so that the text also finds what the subjects are called. */
export function filtered(
  incidents: readonly Incident[], filter: QueueFilter, nameOf: (sensorId: string) => string,
): Incident[] {
  const wanted = filter.text.trim().toLocaleLowerCase();
  return incidents.filter((incident) =>
    inStage(incident, filter.stage)
    && (filter.priorities.size === 0 || filter.priorities.has(incident.priority))
    && (filter.area === "" || incident.area_id === filter.area)
    && (wanted === "" || mentions(incident, wanted, nameOf)));
}

function mentions(incident: Incident, wanted: string, nameOf: (sensorId: string) => string): boolean {
  const { id, title, subjects, metric, department } = incident;
  const said = [id, title, metric ?? "", department ?? "", ...subjects, ...subjects.map(nameOf)];
  return said.some((text) => text.toLocaleLowerCase().includes(wanted));
}

/**
 * Urgent first, then the gravest, then the newest; of what is closed, what was closed last. In a
 * flood (`frozen`) the newest comes last of its priority: no row moves away from under a hand.
 */
export function ordered(incidents: readonly Incident[], stage: Stage, frozen = false): Incident[] {
  const closed = stage === "closed", way = frozen && !closed ? -1 : 1;
  const time = (incident: Incident): number =>
    Date.parse(closed ? incident.updated_at : incident.opened_at);
  return [...incidents].sort(
    (a, b) =>
      (closed ? 0 : a.priority - b.priority || (frozen ? 0 : a.grade - b.grade))
      || way * (time(b) - time(a)) || (a.id < b.id ? -1 : 1),
  );
}

/** The id `step` rows away from `chosen`; the nearest end when there is no such row. */
export function neighbour(ids: readonly string[], chosen: string | null, step: number): string | null {
  if (ids.length === 0) return null;
  const here = ids.indexOf(chosen ?? "");
  if (here < 0) return ids[step > 0 ? 0 : ids.length - 1] ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, here + step))] ?? null;
}

export function countByPriority(incidents: readonly Incident[]): Map<Priority, number> {
  const counts = new Map<Priority, number>([[1, 0], [2, 0], [3, 0], [4, 0]]);
  for (const { priority } of incidents) counts.set(priority, (counts.get(priority) ?? 0) + 1);
  return counts;
}
