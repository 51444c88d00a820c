/** Numbers and times as the wall writes them. */

import { language } from "../i18n";

export const CITY_TIME_ZONE = "Asia/Shanghai";

const DECIMALS = [0, 1, 2].map((decimals) => new Intl.NumberFormat("en-US", {
  minimumFractionDigits: decimals, maximumFractionDigits: decimals,
}));

/** Three significant figures or so, without a jumping number of decimals. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "—";
  const size = Math.abs(value);
  return (DECIMALS[size >= 100 ? 0 : size >= 10 ? 1 : 2] as Intl.NumberFormat).format(value);
}

/** kW above 10,000 read better as MW, and so on; returns the value and unit to write. */
export function scaled(value: number, unit: string): [number, string] {
  if (unit === "kW" && Math.abs(value) >= 10_000) return [value / 1000, "MW"];
  return [value, unitName(unit)];
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  timeZone: CITY_TIME_ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});

export function clock(epochMs: number): string {
  return Number.isFinite(epochMs) ? clockFormat.format(epochMs) : "--:--:--";
}

/** Hours and minutes only. */
export function minute(epochMs: number): string {
  return clock(epochMs).slice(0, 5);
}

const dayFormats = (locale: string): Intl.DateTimeFormat[] => [{ month: "long", day: "numeric" } as const, { weekday: "long" } as const]
  .map((options) => new Intl.DateTimeFormat(locale, { timeZone: CITY_TIME_ZONE, ...options }));
const DAY_FORMATS = { "zh-CN": dayFormats("zh-CN"), "en-GB": dayFormats("en-GB") };

export function day(epochMs: number): string {
  if (!Number.isFinite(epochMs)) return "";
  return DAY_FORMATS[language.value === "zh" ? "zh-CN" : "en-GB"].map((format) => format.format(epochMs)).join(" ");
}

const UNITS_ZH: Readonly<Record<string, string>> = { "vehicles/h": "辆/h" };

/** The unit as people write it. */
export function unitName(unit: string): string {
  return language.value === "zh" ? UNITS_ZH[unit] ?? unit : unit;
}

/** Facts side by side, without those that are missing. */
export function facts(...parts: (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join("\u2003");
}

/** A count. */
export function whole(count: number): string {
  return (DECIMALS[0] as Intl.NumberFormat).format(count);
}

/** A span in the largest unit that fits: 42 秒, 7 分, 3 小时, 2 天. */
export function span(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "—";
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const zh = language.value === "zh";
  if (seconds < 60) return zh ? `${seconds} 秒` : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return zh ? `${minutes} 分` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return zh ? `${hours} 小时` : `${hours} h`;
  return zh ? `${Math.floor(hours / 24)} 天` : `${Math.floor(hours / 24)} d`;
}
