/** The part of the rule language that a form can show, there and back. Pure. */

import type { RuleDocument } from "../rule";
import { seconds } from "../span";

export type Kind = "above" | "below" | "rises" | "falls" | "absent" | "stuck" | "will_rise" | "will_fall";
export const KINDS: readonly Kind[] = ["above", "below", "rises", "falls", "absent", "stuck", "will_rise", "will_fall"];

/** As typed; times in minutes. */
export interface RuleForm {
  id: string;
  zh: string;
  en: string;
  metric: string;
  kind: Kind;
  limit: string;
  over: string;
  hold: string;
  deadband: string;
  priority: string;
  grade: string;
  department: string;
  category: string;
  deadline: string;
  areas: readonly string[];
  sensors: string;
}

export const EMPTY: RuleForm = {
  id: "", zh: "", en: "", metric: "", kind: "above", limit: "", over: "30", hold: "1", deadband: "0",
  priority: "3", grade: "4", department: "", category: "", deadline: "", areas: [], sensors: "",
};

const OWN = ["above", "below", "rate", "absent", "stuck", "forecast"] as const;
const FORESEEN = "6h";
const BEYOND = ["unusual", "levels", "compare", "week", "count", "all", "any", "not", "groups", "subject", "active"];

/** null when the rule says more than the form can. */
export function toForm(document: RuleDocument): RuleForm | null {
  const said = document as unknown as Record<string, unknown>;
  if (BEYOND.some((key) => filled(said[key]))) return null;
  if (OWN.filter((key) => filled(said[key])).length !== 1) return null;
  const condition = conditionOf(document);
  if (condition === null) return null;
  return {
    ...EMPTY, id: document.id ?? "", zh: document.title?.zh ?? "", en: document.title?.en ?? "", metric: document.metric ?? "",
    hold: minutes(document.for ?? 0), deadband: String(document.deadband ?? 0),
    priority: String(document.priority ?? 3), grade: String(document.grade ?? 4), department: document.department ?? "",
    category: document.category ?? "", deadline: document.deadline == null ? "" : minutes(document.deadline),
    areas: document.areas ?? [], sensors: (document.sensors ?? []).join(" "), ...condition,
  };
}

function conditionOf({ above, below, rate, absent, stuck, forecast }: RuleDocument): Partial<RuleForm> | null {
  if (above != null) return { kind: "above", limit: String(above), over: EMPTY.over };
  if (below != null) return { kind: "below", limit: String(below), over: EMPTY.over };
  if (absent != null) return { kind: "absent", limit: "", over: minutes(absent) };
  if (stuck != null) return { kind: "stuck", limit: "", over: minutes(stuck.for) };
  if (forecast != null) return foreseenOf(forecast);
  if (rate == null || filled(rate.levels) || (rate.above == null) === (rate.below == null)) return null;
  const over = minutes(rate.over);
  return rate.above != null ? { kind: "rises", limit: String(rate.above), over } : { kind: "falls", limit: String(-(rate.below as number)), over };
}

function foreseenOf(forecast: NonNullable<RuleDocument["forecast"]>): Partial<RuleForm> | null {
  const limit = forecast.above ?? forecast.below;
  if (filled(forecast.levels) || limit == null) return null;
  const kind = forecast.above != null ? "will_rise" : "will_fall";
  return { kind, limit: String(limit), over: minutes(forecast.within ?? FORESEEN), deadband: String(forecast.deadband ?? 0) };
}

/** What the form does not show stays as `base` has it. */
export function toDocument(form: RuleForm, base: RuleDocument | null): RuleDocument {
  const kept = Object.fromEntries(Object.entries(base ?? {}).filter(([key]) => !(OWN as readonly string[]).includes(key)));
  const given: Record<string, unknown> = {
    ...kept, id: form.id.trim(), title: { zh: form.zh.trim(), en: form.en.trim() || form.zh.trim() }, metric: form.metric,
    ...asked(form), priority: Number(form.priority), grade: Number(form.grade),
    department: form.department.trim() || undefined, category: form.category || undefined,
    deadline: form.deadline.trim() === "" ? undefined : span(form.deadline),
    areas: form.areas.length > 0 ? form.areas : undefined,
    sensors: form.sensors.trim() === "" ? undefined : form.sensors.trim().split(/\s+/),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as RuleDocument;
}

function asked({ kind, limit, over, hold, deadband }: RuleForm): Record<string, unknown> {
  const lasting = Number(hold) > 0 ? { for: span(hold) } : { for: undefined };
  const band = Number(deadband) > 0 ? { deadband: Number(deadband) } : { deadband: undefined };
  switch (kind) {
    case "above":
    case "below":
      return { [kind]: Number(limit), ...band, ...lasting };
    case "rises":
      return { rate: { above: Number(limit), over: span(over) }, deadband: undefined, ...lasting };
    case "falls":
      return { rate: { below: -Number(limit), over: span(over) }, deadband: undefined, ...lasting };
    case "will_rise":
    case "will_fall": {
      const beyond = kind === "will_rise" ? { above: Number(limit) } : { below: Number(limit) };
      const back = Number(deadband) > 0 ? { deadband: Number(deadband) } : {};
      return { forecast: { ...beyond, within: span(over), ...back }, deadband: undefined, ...lasting };
    }
    case "absent":
      return { absent: span(over), for: undefined, deadband: undefined };
    case "stuck":
      return { stuck: { for: span(over) }, for: undefined, deadband: undefined };
  }
}

/** Names of the fields that are missing or no number. */
export function faults(form: RuleForm): ReadonlySet<keyof RuleForm> {
  const wrong = new Set<keyof RuleForm>();
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(form.id)) wrong.add("id");
  if (form.zh.trim() === "") wrong.add("zh");
  if (form.metric === "") wrong.add("metric");
  const needsLimit = form.kind !== "absent" && form.kind !== "stuck";
  if (needsLimit && (form.limit.trim() === "" || Number.isNaN(Number(form.limit)))) wrong.add("limit");
  if (form.kind !== "above" && form.kind !== "below" && !(Number(form.over) > 0)) wrong.add("over");
  if (foresees(form.kind) && !(Number(form.over) >= 60 && Number(form.over) <= 360)) wrong.add("over");
  for (const field of ["hold", "deadband", "deadline"] as const) {
    if (!(Number(form[field]) >= 0)) wrong.add(field);
  }
  return wrong;
}

/** Whether it is about what is yet to come. */
export function foresees(kind: Kind): boolean {
  return kind === "will_rise" || kind === "will_fall";
}

/** Readings that it should be raised by, and cleared again after. */
export function exampleFor(form: RuleForm, stepSeconds: number): string {
  if (foresees(form.kind)) return foreseenExample(form);
  const limit = Number(form.limit) || 0;
  const away = Math.max(Math.abs(limit) * 0.2, Number(form.deadband) * 1.5, 1);
  const held = Math.max(2, Math.ceil(Number(form.hold) * 60 / stepSeconds) + 2);
  const write = (value: number): string => String(+value.toPrecision(4));
  const [good, bad] = form.kind === "below" ? [limit + away, limit - away] : [limit - away, limit + away];
  if (form.kind === "above" || form.kind === "below") return `${write(good)}x3 ${write(bad)}x${held} ${write(good)}x3`;
  const steps = Math.max(2, Math.ceil(Number(form.over) * 60 / stepSeconds) + 2);
  if (form.kind === "absent") return `1x3 _x${steps} 1x2`;
  if (form.kind === "stuck") return `1 2 3x${steps} 4`;
  const way = form.kind === "rises" ? 1 : -1;
  return `100x3 ${write(100 + way * (limit + away))}x${steps}`;
}

/** Of such rules: what the next hours are foretold by. */
export const QUARTER_SECONDS = 900;

/** Two days that rise and fall, the second further, and a third that goes on. */
function foreseenExample({ kind, limit }: RuleForm): string {
  const way = kind === "will_rise" ? 1 : -1, far = Math.max(Math.abs(Number(limit)), 1);
  const from = Number(limit) - way * far / 2, write = (value: number): string => String(+value.toPrecision(3));
  const day = (step: number): string => `${write(from)}${signed(step)}x48 ${write(from + 48 * step)}${signed(-step)}x48`;
  return [day(way * far / 240), day(way * far / 150), `${write(from)}${signed(way * far / 80)}x48`].join(" ");
}

function signed(step: number): string {
  return `${step < 0 ? "-" : "+"}${Math.abs(step).toFixed(4)}`;
}

function filled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "sensor";
}

function minutes(value: number | string): string {
  return String(+(seconds(value) / 60).toFixed(3));
}

/** Minutes as typed → `90s` or `5m`. */
function span(text: string): string {
  const total = Math.round(Number(text) * 60);
  return total % 60 === 0 ? `${total / 60}m` : `${total}s`;
}
