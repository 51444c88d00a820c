/** What lets a wall hang unattended for months. */

import { reloadWhenServed } from "../reload";

const HEAP_LIMIT_BYTES = 1_200_000_000;
const WATCH_EVERY_MS = 60_000;
const NIGHT_HOUR = 4;
const SPREAD_MINUTES = 30;

/** Reloads when the heap grows too far, and once a night at a minute of this page's own. */
export function keepUp(random: () => number): void {
  const minuteOfNight = Math.floor(random() * SPREAD_MINUTES);
  const loadedAt = performance.now();
  setInterval(() => {
    const now = new Date();
    const night = now.getHours() === NIGHT_HOUR && now.getMinutes() === minuteOfNight;
    const old = performance.now() - loadedAt > 2 * 3600_000;
    if (heapBytes() > HEAP_LIMIT_BYTES || (night && old)) void reloadWhenServed(0);
  }, WATCH_EVERY_MS);
}

function heapBytes(): number {
  const { memory } = performance as unknown as { memory?: { usedJSHeapSize: number } };
  return memory?.usedJSHeapSize ?? 0;
}
