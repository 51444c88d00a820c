/** How each district is: its sensors by state, its incidents by priority. Pure. */

import { State, type Area, type Incident, type Priority } from "../live/protocol";
import type { Picture } from "../live/reducer";

export interface District {
  area: Area;
  sensors: number;
  /** Ever spoke; and of those, silent now. */
  known: number;
  silent: number;
  incidents: Record<Priority, number>;
}

/** In the registry's order, which does not jump about. The city itself is not among them. */
export function districts(picture: Picture, open: readonly Incident[]): District[] {
  const city = String(picture.city?.adcode ?? "");
  const found = new Map<string, District>();
  for (const area of picture.areas.values()) {
    if (area.area_id === city) continue;
    found.set(area.area_id, { area, sensors: 0, known: 0, silent: 0, incidents: { 1: 0, 2: 0, 3: 0, 4: 0 } });
  }
  const { areaId, state } = picture.sensors;
  areaId.forEach((id, sensor) => {
    const district = found.get(id ?? "");
    if (district === undefined) return;
    district.sensors += 1;
    if (state[sensor] !== State.never) district.known += 1;
    if (state[sensor] === State.stale) district.silent += 1;
  });
  for (const incident of open) {
    const district = found.get(incident.area_id ?? "");
    if (district !== undefined) district.incidents[incident.priority] += 1;
  }
  return [...found.values()];
}

/** Whether most of what ever spoke in an area is silent, by area. */
export function silentAreas(picture: Picture): Map<string, boolean> {
  return new Map(districts(picture, []).map(({ area, known, silent }) =>
    [area.area_id, known > 0 && 2 * silent > known]));
}

export interface Health {
  metric: string;
  fresh: number;
  silent: number;
  bad: number;
  never: number;
  /** Newest reading, epoch ms, or NaN. */
  newestAt: number;
}

/** How complete the data of each metric is; only what the catalogue has series of. */
export function health(picture: Picture): Health[] {
  const found = new Map<string, Health>();
  const { metric, state, observedAt } = picture.series;
  for (let index = 0; index < state.length; index++) {
    const name = metric[index] as string;
    let one = found.get(name);
    if (one === undefined) found.set(name, (one = { metric: name, fresh: 0, silent: 0, bad: 0, never: 0, newestAt: NaN }));
    const rank = state[index] as number;
    if (rank === State.never) one.never += 1;
    else if (rank === State.stale) one.silent += 1;
    else if (rank === State.bad) one.bad += 1;
    else one.fresh += 1;
    const at = observedAt[index] as number;
    if (at > one.newestAt || Number.isNaN(one.newestAt)) one.newestAt = at;
  }
  return [...found.values()];
}
