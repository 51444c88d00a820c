/** Times as the console writes them: the city's own time zone, whatever the browser's. */

import { language } from "../i18n";
import { CITY_TIME_ZONE } from "../wall/format";

/** `05-14 13:22:08`; the year only when it is not the one of `now`. */
export function moment(iso: string | null | undefined, now: number): string {
  const at = Date.parse(iso ?? "");
  if (Number.isNaN(at)) return "—";
  const full = partsOf(at);
  const here = partsOf(now);
  const date = full.year === here.year ? `${full.month}-${full.day}` : `${full.year}-${full.month}-${full.day}`;
  return `${date} ${full.hour}:${full.minute}:${full.second}`;
}

const format = new Intl.DateTimeFormat("en-GB", {
  timeZone: CITY_TIME_ZONE, year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});

function partsOf(at: number): Record<"year" | "month" | "day" | "hour" | "minute" | "second", string> {
  const parts = format.formatToParts(at).map(({ type, value }) => [type, value]);
  return Object.fromEntries(parts) as ReturnType<typeof partsOf>;
}

/** 90 → 1 分 30 秒; for settings, which must not be rounded. */
export function exactSpan(seconds: number): string {
  const zh = language.value === "zh";
  const units: [number, string][] = zh
    ? [[3600, " 小时"], [60, " 分"], [1, " 秒"]] : [[3600, " h"], [60, " min"], [1, " s"]];
  let left = Math.round(seconds);
  const said: string[] = [];
  for (const [size, name] of units) {
    const count = Math.floor(left / size);
    if (count > 0) said.push(`${count}${name}`);
    left -= count * size;
  }
  return said.join(" ") || (zh ? "0 秒" : "0 s");
}

/** Epoch ms → what an input of the type `datetime-local` takes, in the city's time. */
export function inCity(at: number): string {
  const { year, month, day, hour, minute } = partsOf(at);
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

const CITY_OFFSET = "+08:00";

/** The same back: RFC 3339 with the city's offset; null when it is no moment. */
export function fromCity(text: string): string | null {
  const said = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.exec(text)?.[0];
  return said === undefined || Number.isNaN(Date.parse(said)) ? null : `${said}:00${CITY_OFFSET}`;
}
