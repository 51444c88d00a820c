/** What can be done with an incident in each state, and what it takes. Pure. */

import type { Person, Role } from "../login/session";
import type { Incident, IncidentState, Priority } from "../live/protocol";

export type Command =
  | "acknowledge" | "dispatch" | "transfer" | "start" | "resolve" | "close" | "reopen" | "comment" | "regrade";

/** What a person adds to a command. */
export interface Words {
  note: string;
  department?: string;
  grade?: number;
  priority?: Priority;
}

export interface CommandSpec {
  command: Command;
  /** State it leads to; null: it stays. */
  to: IncidentState | null;
  from: readonly IncidentState[];
  /** No form: one click. */
  atOnce: boolean;
  needsNote: boolean;
  needsDepartment: boolean;
  key: string;
  /** The role that it needs where the incident is. */
  role: Role;
  /** The people of the department that has the incident in hand may give it too. */
  handling: boolean;
}

const spec = (
  command: Command, to: IncidentState | null, from: readonly IncidentState[], key: string, role: Role,
  needs: { atOnce?: boolean; note?: boolean; department?: boolean } = {}, handling = false,
): CommandSpec => ({
  command, to, from, key, role, handling,
  atOnce: needs.atOnce ?? false, needsNote: needs.note ?? false,
  needsDepartment: needs.department ?? false,
});

const UNFINISHED: readonly IncidentState[] = ["open", "acknowledged", "dispatched", "handling", "resolved"];

/** What a department's people may work on. */
const IN_HAND: readonly IncidentState[] = ["dispatched", "handling", "resolved"];

/** In the order of the closed loop; then what stays where it is. */
export const COMMANDS: readonly CommandSpec[] = [
  spec("acknowledge", "acknowledged", ["open"], "a", "operator", { atOnce: true }),
  spec("dispatch", "dispatched", ["open", "acknowledged", "dispatched"], "d", "dispatcher", { note: true, department: true }),
  spec("start", "handling", ["acknowledged", "dispatched"], "s", "operator", { atOnce: true }, true),
  spec("resolve", "resolved", ["acknowledged", "dispatched", "handling"], "r", "operator", {}, true),
  spec("close", "closed", UNFINISHED, "c", "dispatcher", { note: true }),
  spec("reopen", "open", ["resolved", "closed"], "o", "dispatcher"),
  spec("transfer", "dispatched", ["handling"], "t", "dispatcher", { note: true, department: true }),
  spec("comment", null, [...UNFINISHED, "closed"], "n", "operator", { note: true }, true),
  spec("regrade", null, UNFINISHED, "g", "dispatcher", { note: true }),
];

export const LOOP: readonly IncidentState[] = [
  "open", "acknowledged", "dispatched", "handling", "resolved", "closed",
];

/** What may be done next; the usual next step comes first, what leaves the state as it is last. */
export function possible(state: IncidentState, role: Role = "admin"): CommandSpec[] {
  const fitting = COMMANDS.filter((one) => one.from.includes(state) && rank(role) >= rank(one.role));
  const usual = LOOP[LOOP.indexOf(state) + 1];
  const order = (one: CommandSpec): number => (one.to === null ? 2 : one.to === usual ? 0 : 1);
  return fitting.sort((a, b) => order(a) - order(b));
}

const ROLES: readonly Role[] = ["viewer", "operator", "dispatcher", "admin"];

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

/** Whether somebody of this role may do what needs `wanted`, at least somewhere; the server decides where. */
export function may(role: Role, wanted: Role): boolean {
  return rank(role) >= rank(wanted);
}

/** Whether one may work on an incident: by role, or for the department that has it in hand. */
export function mayWork(who: Person | null, incident: Incident): boolean {
  return mayAct(who?.role ?? "") || (who?.department != null && who.department === incident.department && IN_HAND.includes(incident.state));
}

/** What somebody is offered to do with an incident. */
export function offered(incident: Incident, who: Person | null): CommandSpec[] {
  const role = who?.role ?? "";
  if (mayAct(role) || !mayWork(who, incident)) return possible(incident.state, role);
  return possible(incident.state, "operator").filter((one) => one.handling);
}

export function specOf(command: Command): CommandSpec {
  return COMMANDS.find((one) => one.command === command) as CommandSpec;
}

/** Whether people of this role work on incidents at all; the server decides each command. */
export function mayAct(role: Role): boolean {
  return may(role, "operator");
}

/** What is still missing before the command can be sent; empty when it can. */
export function lacks(wanted: CommandSpec, words: Words): ("note" | "department")[] {
  const missing: ("note" | "department")[] = [];
  if (wanted.needsDepartment && !words.department?.trim()) missing.push("department");
  if (wanted.needsNote && !words.note.trim()) missing.push("note");
  return missing;
}

/** The incident as it will be if the server agrees. */
export function guess(incident: Incident, command: Command, words: Words): Incident {
  const department = words.department?.trim() || incident.department;
  const { grade = incident.grade, priority = incident.priority } = words;
  return { ...incident, state: specOf(command).to ?? incident.state, department, grade, priority };
}
