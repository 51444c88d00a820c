import { language } from "../../i18n";
import { facts } from "../../wall/format";
import { pollutants, x } from "./texts";

export interface Hourly<T> {
  items: T[];
}

export interface AreaAir {
  area_id: string;
  aqi: number | null;
  level: { level: number; name_zh: string; name_en: string; colour: string } | null;
  primary: string[];
  missing: string[];
  stations: number;
  yesterday: number | null;
  last_week: number | null;
}

export type Service = "A" | "B" | "C" | "D" | "E" | "F";

export interface AreaTraffic {
  area_id: string;
  time_index: number | null;
  service: Service | null;
  congested: number | null;
  learning: number;
  silent: number;
  yesterday: { time_index: number; service: Service } | null;
}

/** The official index with its colour and what decides it; honest where pollutants are missing. */
export function Air({ hourly, area }: { hourly: Hourly<AreaAir> | null; area: string }) {
  const found = hourly?.items.find((one) => one.area_id === area);
  if (!found || found.aqi === null || found.level === null) return <span class="soft">{hourly === null ? "" : x("no_air")}</span>;
  const { aqi, level, missing, primary, yesterday } = found;
  const name = language.value === "zh" ? level.name_zh : level.name_en;
  const title = facts(x("stations", { n: found.stations }), missing.length > 0 && x("missing", { what: pollutants(missing) }));
  return (
    <div class="vital-hour" title={title} data-testid={`air-${area}`}>
      <i style={{ background: level.colour }} />
      <b>{missing.length > 0 && "≥"}{aqi}</b><em>{name}</em>
      <small>{facts(primary.length > 0 && pollutants(primary), yesterday !== null && `${x("yesterday")} ${yesterday}`)}</small>
    </div>
  );
}

/** The level of service, and how much longer ways take than in free flow. */
export function Roads({ hourly, area }: { hourly: Hourly<AreaTraffic> | null; area: string }) {
  const found = hourly?.items.find((one) => one.area_id === area);
  if (!found || found.service === null || found.time_index === null) {
    const learning = found && found.learning > 0 ? x("learning", { n: found.learning }) : x("no_air");
    return <span class="soft">{hourly === null ? "" : learning}</span>;
  }
  const { service, time_index, yesterday } = found;
  return (
    <div class={`vital-hour service-${service}`} title={x("time_index", { n: time_index.toFixed(2) })} data-testid={`roads-${area}`}>
      <b>{service}</b><em>{x(service)}</em>
      <small>{facts(`×${time_index.toFixed(2)}`, yesterday && `${x("yesterday")} ×${yesterday.time_index.toFixed(2)}`)}</small>
    </div>
  );
}
