/** What can be done with an incident in each state, and what it takes. Pure. */

import type { Role } from "../login/session";
import type { Incident, IncidentState } from "../live/protocol";

export type Command = "acknowledge" | "dispatch" | "start" | "resolve" | "close" | "reopen";

/** What a person adds to a command. */
export interface Words {
  note: string;
  department?: string;
}

export interface CommandSpec {
  command: Command;
  /** State it leads to. */
  to: IncidentState;
  from: readonly IncidentState[];
  /** No form: one click. */
  atOnce: boolean;
  needsNote: boolean;
  needsDepartment: boolean;
  key: string;
}

const spec = (
  command: Command, to: IncidentState, from: readonly IncidentState[], key: string,
  needs: { atOnce?: boolean; note?: boolean; department?: boolean },
): CommandSpec => ({
  command, to, from, key,
  atOnce: needs.atOnce ?? false, needsNote: needs.note ?? false,
  needsDepartment: needs.department ?? false,
});

/** In the order of the closed loop. */
export const COMMANDS: readonly CommandSpec[] = [
  spec("acknowledge", "acknowledged", ["open"], "a", { atOnce: true }),
  spec("dispatch", "dispatched", ["open", "acknowledged", "dispatched"], "d", { note: true, department: true }),
  spec("start", "handling", ["acknowledged", "dispatched"], "s", { atOnce: true }),
  spec("resolve", "resolved", ["acknowledged", "dispatched", "handling"], "r", {}),
  spec("close", "closed", ["open", "acknowledged", "dispatched", "handling", "resolved"], "c", { note: true }),
  spec("reopen", "open", ["resolved", "closed"], "o", {}),
];

export const LOOP: readonly IncidentState[] = [
  "open", "acknowledged", "dispatched", "handling", "resolved", "closed",
];

/** What may be done next; the usual next step comes first. */
export function possible(state: IncidentState): CommandSpec[] {
  const fitting = COMMANDS.filter((one) => one.from.includes(state));
  const usual = LOOP[LOOP.indexOf(state) + 1];
  return fitting.sort((a, b) => Number(b.to === usual) - Number(a.to === usual));
}

export function specOf(command: Command): CommandSpec {
  return COMMANDS.find((one) => one.command === command) as CommandSpec;
}

/** Whether people of this role work on incidents at all; the server decides each command. */
export function mayAct(role: Role): boolean {
  return role === "operator" || role === "dispatcher" || role === "admin";
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
  return { ...incident, state: specOf(command).to, department };
}
