/** Moments that people choose: the city's time in and out of an `<input>`, and how far a replay goes. Pure. */

import type { Speed, Wish } from "./reel";

const OFFSET_MS = 8 * 3600_000; // Asia/Shanghai, which has no summer time
export const LENGTH_MS = 3 * 3600_000;
export const LEAD_MS = 5 * 60_000;

/** Epoch ms → `2026-05-01T08:00` in the city's time. */
export function toInput(epochMs: number): string {
  return new Date(epochMs + OFFSET_MS).toISOString().slice(0, 16);
}

/** The inverse; NaN for what is no moment. */
export function fromInput(text: string): number {
  return text === "" ? NaN : Date.parse(`${text}:00Z`) - OFFSET_MS;
}

/** Three hours from a moment on, or until now. */
export function wishFrom(from: number, now: number, speed: Speed): Wish {
  return { from, to: Math.min(now, from + LENGTH_MS), speed };
}

/** `?replay=2026-05-01T08:00:00+08:00&speed=60`; null: none is asked for. A `+` may come as a space. */
export function wishOf(search: string, now: number): Wish | null {
  const query = new URLSearchParams(search);
  const from = Date.parse((query.get("replay") ?? "").replace(" ", "+"));
  if (!(from < now)) return null;
  const asked = Number(query.get("speed"));
  return wishFrom(from, now, asked === 60 || asked === 10 ? asked : 1);
}
