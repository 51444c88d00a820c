/** A neighbouring city as the console works with it. */

import { n } from "./neighbour-texts";

export const COLOURS = ["red", "orange", "yellow", "blue"] as const;
export type Colour = (typeof COLOURS)[number];

export interface Interest {
  least: Colour;
  categories: string[];
  areas: string[];
}

export interface Neighbour {
  adcode: number;
  name_zh: string;
  name_en: string;
  url: string;
  interest: Interest | null;
  silent_after_minutes: number | null;
  enabled: boolean;
  endpoint_id: string;
  heard_at: string | null;
  delivered_at: string | null;
  queued: number;
  failures: number;
}

export interface Received {
  sender: string;
  identifier: string;
  kind: "Alert" | "Update" | "Cancel";
  exercise: boolean;
  wording: Partial<Record<"zh" | "en", { headline: string; area: string }>>;
  expires_at: string;
  received_at: string;
  holds: boolean;
}

/** How the way to it is: whether anything is wrong, and in words. */
export function standing(of: Neighbour): [bad: boolean, text: string] {
  if (!of.enabled) return [true, n("off")];
  if (of.failures > 0) return [true, n("failing", { n: of.failures })];
  return [false, n("reachable")];
}

/** Whether it should have been heard of by now. */
export function silent(of: Neighbour, now: number): boolean {
  const { silent_after_minutes: patience, heard_at: heard } = of;
  return patience !== null && heard !== null && now - Date.parse(heard) > patience * 60_000;
}
