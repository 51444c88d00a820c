/** An index's past as a line. Pure. */

export interface Moment {
  at: string;
  index: number | null;
}

const LONGEST_MS = 25 * 60_000; // over which a line goes on

/** An SVG path; broken where nothing was kept, or nobody could tell. */
export function linesOf(items: readonly Moment[], across: (at: number) => number, up: (index: number) => number): string {
  let before = NaN;
  return items.flatMap(({ at, index }) => {
    const moment = Date.parse(at);
    if (index === null) {
      before = NaN;
      return [];
    }
    const command = moment - before <= LONGEST_MS ? "L" : "M";
    before = moment;
    return [`${command}${across(moment).toFixed(1)} ${up(index).toFixed(1)}`];
  }).join("");
}

/** From a full ten below the least index to 100. */
export function scaleOf(items: readonly Moment[]): [number, number] {
  const least = items.reduce((low, { index }) => Math.min(low, index ?? 100), 100);
  return [Math.max(0, Math.floor(least / 10) * 10 - (least % 10 === 0 ? 10 : 0)), 100];
}
