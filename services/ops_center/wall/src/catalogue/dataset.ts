/** Datasets as `/v1/catalogue` answers them, and how they are written. Pure. */

import { language } from "../i18n";

export interface Quality {
  at: string;
  completeness: number | null;
  timeliness: number | null;
  validity: number | null;
}

export type Measure = "completeness" | "timeliness" | "validity";
export const MEASURES: readonly Measure[] = ["completeness", "timeliness", "validity"];

export interface Dataset {
  dataset: string;
  title_zh: string;
  title_en: string;
  description_zh: string;
  description_en: string;
  owner_zh: string;
  owner_en: string;
  licence: string;
  level: string;
  level_zh: string;
  level_en: string;
  domain: string;
  interval_seconds: number | null;
  sensors: number | null;
  newest_at: string | null;
  open: boolean;
  quality: Quality | null;
}

export interface Detail extends Dataset {
  schema: { name: string; type: string; unit: string | null; level: string }[];
  trend: Quality[];
}

/** One of a pair of texts, such as `title`. */
export function told(one: Dataset, name: "title" | "description" | "owner" | "level"): string {
  return one[`${name}_${language.value}`];
}

/** A share in 0–1 as a percentage; complete is said only of what is. */
export function percent(share: number | null): string {
  if (share === null) return "—";
  const rounded = Math.round(share * 1000) / 10;
  return `${rounded === 100 && share < 1 ? 99.9 : rounded}%`;
}

/** The line of a trend in a box of 100 × 100, gaps where nothing was measured. */
export function line(trend: readonly Quality[], measure: Measure): string {
  const first = Date.parse(trend[0]?.at ?? ""), last = Date.parse(trend.at(-1)?.at ?? "");
  const width = Math.max(last - first, 1);
  let pen = "M", made = "";
  for (const one of trend) {
    const share = one[measure];
    if (share === null) pen = "M";
    else {
      made += `${pen}${(((Date.parse(one.at) - first) / width) * 100).toFixed(2)} ${((1 - share) * 100).toFixed(2)}`;
      pen = "L";
    }
  }
  return made;
}

/** Mean and least of what was measured; null: nothing was. */
export function summary(trend: readonly Quality[], measure: Measure): { mean: number; low: number } | null {
  const shares = trend.map((one) => one[measure]).filter((share) => share !== null);
  if (shares.length === 0) return null;
  return { mean: shares.reduce((sum, share) => sum + share, 0) / shares.length, low: Math.min(...shares) };
}
