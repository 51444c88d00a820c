/** One view of the incidents out of three sources: the live picture, answers, and guesses. Pure. */

import type { Incident } from "../live/protocol";

export interface Sources {
  /** Not closed, from the socket. */
  live: readonly Incident[];
  /** Versions at which the socket saw incidents closed. */
  closed: ReadonlyMap<string, number>;
  /** What the server has answered over HTTP. */
  answers: ReadonlyMap<string, Incident>;
  /** What was asked for and not answered yet. */
  guesses: ReadonlyMap<string, Incident>;
}

export function newest(a: Incident | undefined, b: Incident | undefined): Incident | undefined {
  if (!a || !b) return a ?? b;
  return b.version > a.version ? b : a;
}

/** All that are not closed. */
export function openOnes({ live, closed, answers, guesses }: Sources): Incident[] {
  const known = new Map(live.map((incident) => [incident.id, incident]));
  for (const answer of answers.values()) {
    if ((closed.get(answer.id) ?? 0) >= answer.version) continue;
    known.set(answer.id, newest(known.get(answer.id), answer) as Incident);
  }
  for (const [id, incident] of guesses) if (known.has(id)) known.set(id, incident);
  return [...known.values()].filter((incident) => incident.state !== "closed");
}
