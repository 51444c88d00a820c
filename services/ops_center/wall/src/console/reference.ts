/** Lists that hardly change while one works: departments, categories, areas. Asked for once. */

import { signal, type Signal } from "@preact/signals";

import { get } from "../api";
import { language } from "../i18n";
import type { Answer } from "./paging";

export interface Words {
  zh: string;
  en: string;
}

export interface Department {
  name: Words;
  categories: string[];
  areas: string[];
  parent: string | null;
}

export interface Category {
  category: string;
  kind: "component" | "event";
  name: Words;
  grade: number;
  priority: number;
}

export interface Area {
  area_id: string;
  parent_id: string | null;
  level: "city" | "district" | "town" | "cell";
  name_zh: string;
  name_en: string;
}

export interface Metric {
  metric: string;
  domain: string;
  unit: string;
  name_zh: string;
  name_en: string;
  minimum: number | null;
  maximum: number | null;
  interval_seconds: number;
}

type Departments = Answer<Department> & { categories: Category[] };

const departments = signal<Departments | null>(null);
const areas = signal<Answer<Area> | null>(null);
const metrics = signal<Answer<Metric> | null>(null);
const under = new Set<string>();

function once<T>(held: Signal<T | null>, path: string): T | null {
  if (held.value === null && !under.has(path)) {
    under.add(path);
    get<T>(path).then((found) => (held.value = found), () => undefined).finally(() => under.delete(path));
  }
  return held.value;
}

export function said(words: Words): string {
  return language.value === "zh" ? words.zh : words.en;
}

export const knownDepartments = (): readonly Department[] => once(departments, "/v1/departments")?.items ?? [];
export const knownCategories = (): readonly Category[] => once(departments, "/v1/departments")?.categories ?? [];
/** City and districts. */
export const knownAreas = (): readonly Area[] =>
  (once(areas, "/v1/areas")?.items ?? []).filter((one) => one.level === "city" || one.level === "district");
export const knownMetrics = (): readonly Metric[] => once(metrics, "/v1/metrics")?.items ?? [];

/** As one says it in the language of the page; one that is gone by its name. */
export function departmentName(name: string): string {
  const found = knownDepartments().find((one) => one.name.zh === name);
  return found === undefined ? name : said(found.name);
}

/** Those that exist, and `mine`, which may be gone. */
export function departmentOptions(mine: string | null | undefined, category: string | null = null): [value: string, label: string][] {
  return departmentsFor(category, mine || null).map((name) => [name, departmentName(name)]);
}

/** Of all departments the one first that has the category. */
function departmentsFor(category: string | null, mine: string | null): string[] {
  const all = knownDepartments();
  const fitting = all.filter((one) => category !== null && one.categories.includes(category));
  const names = [...fitting, ...all].map((one) => one.name.zh);
  return [...new Set([...(mine ? [mine] : []), ...names])];
}
