/** How much of the value axis a chart shows. Pure. */

export interface Limits {
  normal: [number | null, number | null];
  threshold?: number | null;
}

const ROOM = 0.15;
/** Of the normal range: less would blow noise up into drama. */
const LEAST_SHARE = 0.2;

/** Room around the data and the broken limit, if any; never a sliver of the normal range. */
export function extent(low: number | null, high: number | null, limits: Limits): [number, number] {
  if (low === null || high === null) return [0, 1];
  const { threshold } = limits;
  const top = typeof threshold === "number" ? Math.max(high, threshold) : high;
  const bottom = typeof threshold === "number" ? Math.min(low, threshold) : low;
  const half = Math.max((top - bottom) * (0.5 + ROOM), least(limits, top) / 2);
  const middle = (top + bottom) / 2;
  if (bottom >= 0 && middle - half < 0) return [0, Math.max(top * (1 + ROOM), 2 * half)];
  return [middle - half, middle + half];
}

function least({ normal: [low, high] }: Limits, top: number): number {
  if (high === null) return Math.abs(top) * 0.1 || 1;
  return (high - (low ?? 0)) * LEAST_SHARE || 1;
}
