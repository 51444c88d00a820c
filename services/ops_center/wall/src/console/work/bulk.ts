/** One command for many incidents, a few at a time; each answers for itself. */

import { specOf, type Command, type Words } from "../commands";
import type { Desk } from "../desk";

const AT_ONCE = 6;

export interface Outcome {
  command: Command;
  done: number;
  /** In a state from which the command does not start. */
  skipped: number;
  /** Somebody else was first: these stay ticked. */
  beaten: number;
  failed: number;
}

/** `told` hears how many are through. Those that are done lose their tick. */
export async function runAll(
  desk: Desk, ids: readonly string[], command: Command, words: Words, told: (through: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { command, done: 0, skipped: 0, beaten: 0, failed: 0 };
  const waiting = [...ids];
  let through = 0;
  const worker = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      outcome[await one(desk, id, command, words)] += 1;
      told(through += 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcome;
}

async function one(desk: Desk, id: string, command: Command, words: Words): Promise<"done" | "skipped" | "beaten" | "failed"> {
  const incident = desk.incident(id);
  if (incident === undefined || !specOf(command).from.includes(incident.state)) {
    untick(desk, id);
    return "skipped";
  }
  if (await desk.run(id, command, words)) {
    untick(desk, id);
    return "done";
  }
  return desk.notices.value.get(id)?.kind === "beaten" ? "beaten" : "failed";
}

function untick(desk: Desk, id: string): void {
  const rest = new Set(desk.marked.value);
  if (rest.delete(id)) desk.marked.value = rest;
}
