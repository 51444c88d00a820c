/** Which side panel is shown, and when the next one's turn is. Pure. */

export const TURN_SECONDS = 45;
const SHORTEST = 30;
const LONGEST = 60;
const PAUSE_MS = 120_000;

export interface Rotation {
  page: number;
  /** Since when this page is shown, and until when it stays whatever the clock says: epoch ms. */
  since: number;
  pausedUntil: number;
}

export const START: Rotation = { page: 0, since: 0, pausedUntil: 0 };

/** Seconds of a turn as an address asks for them: 30–60; `off` or 0 for none; null for the usual. */
export function turnSeconds(asked: string | null): number {
  if (asked === "off" || asked === "0") return 0;
  const seconds = Number(asked);
  return asked === null || Number.isNaN(seconds) ? TURN_SECONDS : Math.min(LONGEST, Math.max(SHORTEST, seconds));
}

/** `held`: something asks for quiet, a flood or an open card. */
export function turned(
  before: Rotation, now: number, pages: number, seconds: number, held: boolean,
): Rotation {
  if (pages <= 1) return before.page === 0 ? before : { ...before, page: 0 };
  if (held) return { ...before, since: now };
  if (before.since === 0) return { ...before, since: now };
  if (seconds === 0 || now < before.pausedUntil || now - before.since < 1000 * seconds) return before;
  return { ...before, page: (before.page + 1) % pages, since: now };
}

/** By hand: the page stays for two minutes. */
export function stepped(before: Rotation, now: number, pages: number, by: number): Rotation {
  return { page: (before.page + by + pages) % pages, since: now, pausedUntil: now + PAUSE_MS };
}

/** A new incident of priority 1: back to the vital signs, and two minutes' rest. */
export function interrupted(now: number): Rotation {
  return { page: 0, since: now, pausedUntil: now + PAUSE_MS };
}
