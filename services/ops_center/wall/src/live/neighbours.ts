/** What neighbouring cities warn of, as `hello` and a frame of the live socket tell it. */

/** A city whose platform warns us. `silent`: it should have been heard of since `heard_at`. */
export interface NeighbourCity {
  adcode: number;
  name_zh: string;
  name_en: string;
  heard_at: string | null;
  silent: boolean;
}

export type Severity = "Extreme" | "Severe" | "Moderate" | "Minor" | "Unknown";

/** A warning of a neighbouring city that is in force. `outline`: outer rings of [longitude, latitude], or none. */
export interface NeighbourWarning {
  adcode: number;
  identifier: string;
  severity: Severity;
  exercise: boolean;
  event_zh: string;
  event_en: string;
  headline_zh: string;
  headline_en: string;
  area_zh: string;
  area_en: string;
  since: string;
  sent_at: string;
  expires_at: string;
  outline: [number, number][][];
}

/** All of them, the gravest first. */
export interface Neighbours {
  cities: NeighbourCity[];
  warnings: NeighbourWarning[];
}
