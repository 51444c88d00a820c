/** When there is more than people can take one by one (ISA-18.2, EEMUA 191). Pure. */

import type { Incident } from "../../live/protocol";

const WINDOW_MS = 10 * 60_000;
const BEGINS_ABOVE = 10;
const ENDS_BELOW = 5;

/** Incidents that opened within the last ten minutes; history that comes in late is none. */
export function newOnes(incidents: readonly Incident[], now: number): Incident[] {
  return incidents.filter((one) => !one.historical && now - Date.parse(one.opened_at) < WINDOW_MS);
}

/** It begins above ten and ends below five, so that it does not come and go. */
export function flooded(before: boolean, count: number): boolean {
  return before ? count >= ENDS_BELOW : count > BEGINS_ABOVE;
}

export interface Heap {
  key: string;
  rule: string | null;
  area: string | null;
  incidents: Incident[];
}

/** What is alike by rule and area, the largest heap first. */
export function heaps(incidents: readonly Incident[]): Heap[] {
  const found = new Map<string, Heap>();
  for (const one of incidents) {
    const key = `${one.rule_id ?? one.category ?? ""}|${one.area_id ?? ""}`;
    const heap = found.get(key) ?? { key, rule: one.rule_id, area: one.area_id, incidents: [] };
    heap.incidents.push(one);
    found.set(key, heap);
  }
  return [...found.values()].sort((a, b) => b.incidents.length - a.incidents.length);
}
