/** What a wall shows: one view, or several in turn. Pure. */

import { DOMAINS, type Domain, type Incident, type MetricDomain } from "../live/protocol";
import type { Picture } from "../live/reducer";

export const SIDES = ["vitals", "districts", "health"] as const;
export type Side = (typeof SIDES)[number];

/** As `hello` and `GET /v1/screen` have it. `domains`, `panels`: empty for all. `seconds`: null for good. */
export interface ShownView {
  name: string;
  centre: { lon: number; lat: number; zoom: number } | null;
  area_id: string | null;
  domains: Domain[];
  theme: string | null;
  language: string | null;
  panels: string[];
  seconds: number | null;
}

const SHORTEST_TURN = 5;
const LONGEST_TURN = 86_400;
const TURN = 60;

/** The views that the page's address asks for: `view=` once or more, each with the fields of an
 * address itself, or the address's own fields; none for the whole city. */
export function viewsOf(search: string): ShownView[] {
  const query = new URLSearchParams(search);
  const several = query.getAll("view").map((text) => viewOf(new URLSearchParams(text)));
  if (several.length > 1) return several.map((view) => ({ ...view, seconds: view.seconds ?? TURN }));
  const one = several[0] ?? viewOf(query);
  return plain(one) ? [] : [{ ...one, seconds: null }];
}

function viewOf(query: URLSearchParams): ShownView {
  const seconds = Number(query.get("seconds"));
  return {
    name: query.get("name") ?? "",
    centre: centreOf(query.get("centre")),
    area_id: query.get("area"),
    domains: DOMAINS.filter((domain) => listed(query, "domains").includes(domain)),
    theme: query.get("theme"),
    language: query.get("lang"),
    panels: listed(query, "panels"),
    seconds: seconds > 0 ? Math.min(LONGEST_TURN, Math.max(SHORTEST_TURN, seconds)) : null,
  };
}

/** `112.47,23.05,11` → longitude, latitude, zoom. */
function centreOf(text: string | null): ShownView["centre"] {
  const [lon, lat, zoom] = (text ?? "").split(",").map(Number);
  const fit = [lon, lat, zoom].every((part) => Number.isFinite(part));
  return fit && text ? { lon: lon as number, lat: lat as number, zoom: zoom as number } : null;
}

function listed(query: URLSearchParams, name: string): string[] {
  return (query.get(name) ?? "").split(",").filter(Boolean);
}

/** Whether it says no more than the whole city does. */
function plain(view: ShownView): boolean {
  return !view.name && view.centre === null && view.area_id === null && view.domains.length === 0
    && view.panels.length === 0;
}

export function hasPanel(view: ShownView | null, panel: string): boolean {
  return view === null || view.panels.length === 0 || view.panels.includes(panel);
}

export function hasDomain(view: ShownView | null, domain: MetricDomain): boolean {
  return view === null || view.domains.length === 0 || view.domains.some((one) => one === domain);
}

/** Whether an area lies in the view's own. The city holds every one. */
export function holds(view: ShownView | null, areaId: string | null, city: string): boolean {
  return view?.area_id == null || view.area_id === city || areaId === view.area_id;
}

/** An incident without area or metric concerns everybody, as on the server. */
export function concerns(view: ShownView | null, incident: Incident, picture: Picture): boolean {
  if (view === null) return true;
  const city = String(picture.city?.adcode ?? "");
  if (incident.area_id !== null && !holds(view, incident.area_id, city)) return false;
  const domain = picture.metrics.get(incident.metric ?? "")?.domain;
  return domain === undefined || incident.members > 1 || hasDomain(view, domain);
}
