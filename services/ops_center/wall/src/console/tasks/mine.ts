/** What a department has to do, the most pressing first. Pure. */

import type { Incident, IncidentState } from "../../live/protocol";

const THEIRS: readonly IncidentState[] = ["dispatched", "handling"];

export function casesOf(incidents: readonly Incident[], department: string): Incident[] {
  return incidents
    .filter((one) => one.department === department && THEIRS.includes(one.state))
    .sort((a, b) => due(a) - due(b) || a.priority - b.priority);
}

/** Epoch ms of the earlier of the step's and the case's deadline; never: infinite. */
export function due(incident: Incident): number {
  const said = [incident.step_due_at, incident.deadline_at].map((at) => (at === null ? Infinity : Date.parse(at)));
  return Math.min(...said);
}
