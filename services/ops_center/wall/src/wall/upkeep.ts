/** What lets a wall hang unattended for months: when to load the page anew, and when rather not. */

import { newerBuild, reloadWhenServed } from "../reload";
import type { Incident } from "../live/protocol";

const HEAP_SOFT_BYTES = 800_000_000;
const HEAP_HARD_BYTES = 1_200_000_000;
const WATCH_EVERY_MS = 60_000;
const ASK_BUILD_EVERY_MS = 300_000;
const SPREAD_MS = 60_000;
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const CITY_OFFSET_MS = 8 * HOUR_MS;
const NIGHT_MS = 4 * HOUR_MS;
/** Within it a reload that was put off is made up for; a page younger than two hours needs none. */
const MORNING_MS = 4 * HOUR_MS;
const YOUNG_MS = 2 * HOUR_MS;
const ALARMS_MS = 600_000;
const MANY_ALARMS = 10;

export type Reason = "heap" | "build" | "night";

export interface Condition {
  /** Epoch ms. */
  now: number;
  loadedAt: number;
  heapBytes: number;
  /** The server has newer pages than this one. */
  outdated: boolean;
  /** Nothing happens that people must not miss a second of. */
  calm: boolean;
  /** 0–1, this page's own. */
  share: number;
}

/** Why the page should be loaded anew now; null: it should not. */
export function reloadReason(at: Condition): Reason | null {
  if (at.heapBytes > HEAP_HARD_BYTES) return "heap"; // a crash would be worse
  if (!at.calm) return null;
  if (at.heapBytes > HEAP_SOFT_BYTES) return "heap";
  if (at.outdated) return "build";
  const due = nightOf(at.now) + at.share * HOUR_MS;
  const night = at.now >= due && at.now < due + MORNING_MS && at.loadedAt < due - YOUNG_MS;
  return night ? "night" : null;
}

/** No flood, told or felt. */
export function calm(open: readonly Incident[], now: number): boolean {
  const fresh = open.filter((one) => now - Date.parse(one.opened_at) < ALARMS_MS);
  return fresh.length <= MANY_ALARMS && !open.some((one) => one.kind === "flood");
}

/** `quiet`: whether nobody would miss the picture for a few seconds. */
export function keepUp(random: () => number, quiet: () => boolean): void {
  const share = random();
  const loadedAt = Date.now();
  let outdated = false;
  let leaving = false;
  const look = (): void => {
    const reason = reloadReason({
      now: Date.now(), loadedAt, heapBytes: heapBytes(), outdated, calm: quiet(), share,
    });
    if (reason === null || leaving) return;
    leaving = true;
    // A new build is seen by all walls at once: they do not come back all at once.
    void reloadWhenServed(reason === "build" ? share * SPREAD_MS : 0);
  };
  setInterval(look, WATCH_EVERY_MS);
  setInterval(() => void newerBuild().then((newer) => (outdated = newer)), ASK_BUILD_EVERY_MS);
}

/** 04:00 of the city's present day, epoch ms. */
function nightOf(now: number): number {
  const today = Math.floor((now + CITY_OFFSET_MS) / DAY_MS) * DAY_MS - CITY_OFFSET_MS;
  return today + NIGHT_MS;
}

function heapBytes(): number {
  const { memory } = performance as unknown as { memory?: { usedJSHeapSize: number } };
  return memory?.usedJSHeapSize ?? 0;
}
