/** When nobody has touched a replay for five minutes, the wall goes back to the present. Pure. */

export const IDLE_MS = 300_000;
/** For how long before it is announced. */
export const WARNED_MS = 60_000;

/** Milliseconds until the wall returns to live; 0: now. */
export function remaining(touchedAt: number, now: number): number {
  return Math.max(0, touchedAt + IDLE_MS - now);
}
