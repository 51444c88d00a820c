/** What an operator may want kept quiet, seen from one incident. Pure. */

import type { Incident } from "../../live/protocol";

export type Scope = "shelve" | "subject" | "area" | "rule" | "sensor";

export interface Matchers {
  rule?: string[];
  metric?: string[];
  area?: string[];
  subject?: string[];
  cause?: string[];
  priority?: number[];
}

export const MINUTES: readonly number[] = [30, 60, 120, 240, 480];
export const SHELVED_P1_AT_MOST = 60;

/** The scopes that make sense for it, its echo first. */
export function scopesOf(incident: Incident): Scope[] {
  const { rule_id: rule, subjects, area_id: area, priority } = incident;
  const scopes: Scope[] = [];
  if (rule !== null && subjects.length > 0) scopes.push("subject");
  if (rule !== null && area !== null && priority !== 1) scopes.push("area");
  if (rule !== null && priority !== 1) scopes.push("rule");
  scopes.push("shelve");
  if (subjects.length > 0 && priority !== 1) scopes.push("sensor");
  return scopes;
}

/** null for a shelving, which names its incident instead. */
export function matchersOf(scope: Scope, incident: Incident): Matchers | null {
  const rule = incident.rule_id === null ? [] : [incident.rule_id];
  switch (scope) {
    case "shelve":
      return null;
    case "subject":
      return { rule, subject: incident.subjects };
    case "area":
      return { rule, area: incident.area_id === null ? [] : [incident.area_id] };
    case "rule":
      return { rule };
    case "sensor":
      return { subject: incident.subjects };
  }
}

/** `a b, c` → its words. */
export function words(text: string): string[] {
  return text.split(/[\s,，、;；]+/).filter((word) => word !== "");
}

/** Only the fields that say something. */
export function given(matchers: Matchers): Matchers {
  return Object.fromEntries(Object.entries(matchers).filter(([, values]) => values.length > 0));
}
