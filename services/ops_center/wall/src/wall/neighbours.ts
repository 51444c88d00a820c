/** Warnings of neighbouring cities as the wall and its map show them. Pure. */

import type { FeatureCollection } from "geojson";

import type { NeighbourWarning, Severity } from "../live/neighbours";
import type { Priority } from "../live/protocol";

const PRIORITIES: Record<Severity, Priority> = { Extreme: 1, Severe: 2, Moderate: 3, Minor: 4, Unknown: 4 };

/** The priority whose colour a warning has. */
export function priorityOf(warning: NeighbourWarning): Priority {
  return PRIORITIES[warning.severity];
}

/** Whether a warning still holds, even if nobody can say so because the link is lost. */
export const holding = (now: number) => (warning: NeighbourWarning): boolean => Date.parse(warning.expires_at) > now;

/** Where those are that hold, for the map. */
export function outlines(warnings: readonly NeighbourWarning[], now: number): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: warnings.filter(holding(now)).flatMap((warning) => warning.outline.map((ring) => ({
      type: "Feature" as const, properties: { priority: priorityOf(warning) },
      geometry: { type: "Polygon" as const, coordinates: [ring] },
    }))),
  };
}
