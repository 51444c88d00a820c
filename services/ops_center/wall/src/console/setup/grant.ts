/** Data that others are lent: as the server tells of it. */

import { language } from "../../i18n";

export type GrantState = "requested" | "refused" | "active" | "expired" | "revoked";
export const STATES: readonly GrantState[] = ["requested", "active", "refused", "expired", "revoked"];

export interface Grant {
  grant_id: string;
  state: GrantState;
  kind: "key" | "person";
  recipient: string;
  purpose: string;
  fields: string[];
  level: string;
  areas: string[];
  metrics: string[];
  rows_per_second: number;
  ends_at: string;
  requested_by: string;
  requested_at: string;
  decided_by: string | null;
  reason: string | null;
  revoked_by: string | null;
  revoked_because: string | null;
}

export interface Usage {
  requests: number;
  rows: number;
}

export interface Disclosure {
  levels: { code: string; zh: string; en: string }[];
  items: { dataset: string; zh: string; en: string; fields: { name: string; level: string; lent: boolean; subject: boolean }[] }[];
}

/** What may be asked for: dataset → its fields, each with its level. Pure. */
export function askable(known: Disclosure | null, kind: Grant["kind"]): { dataset: string; name: string; fields: { path: string; name: string; level: string; open: boolean }[] }[] {
  return (known?.items ?? [])
    .map((one) => ({
      dataset: one.dataset,
      name: language.value === "zh" ? one.zh : one.en,
      fields: one.fields
        .filter((field) => (kind === "key" ? field.lent : field.subject))
        .map((field) => ({ path: `${one.dataset}.${field.name}`, name: field.name, level: levelName(known, field.level), open: field.level === "public" })),
    }))
    .filter((one) => one.fields.length > 0);
}

/** As the city calls a level. */
export function levelName(known: Disclosure | null, code: string): string {
  const found = known?.levels.find((one) => one.code === code);
  return found ? (language.value === "zh" ? found.zh : found.en) : code;
}

/** `readings.value readings.metric sensors.name` → dataset and the names of its fields. Pure. */
export function byDataset(fields: readonly string[]): [dataset: string, names: string[]][] {
  const found = new Map<string, string[]>();
  for (const path of fields) {
    const [dataset = "", name = ""] = path.split(".");
    found.set(dataset, [...(found.get(dataset) ?? []), name]);
  }
  return [...found];
}
