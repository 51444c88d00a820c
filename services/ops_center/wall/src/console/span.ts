/** Durations as rules write them. Pure. */

const SIZES: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `"60s"`, `"1m30s"` → seconds. */
export function seconds(span: number | string | undefined): number {
  if (typeof span !== "string") return span ?? 0;
  return [...span.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (SIZES[unit ?? "s"] ?? 1), 0);
}
