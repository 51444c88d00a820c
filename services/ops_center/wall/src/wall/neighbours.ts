/** Warnings of neighbouring cities as the wall and its map show them. Pure. */

import type { FeatureCollection } from "geojson";

import type { NeighbourWarning, Neighbours, Priority, Severity } from "../live/protocol";

const PRIORITIES: Record<Severity, Priority> = { Extreme: 1, Severe: 2, Moderate: 3, Minor: 4, Unknown: 4 };

/** The priority whose colour a warning has. */
export function priorityOf(warning: NeighbourWarning): Priority {
  return PRIORITIES[warning.severity];
}

/** Whether a warning still holds, even if nobody can say so because the link is lost. */
export const HOLDING = (now: number) => (warning: NeighbourWarning): boolean => Date.parse(warning.expires_at) > now;

/** Where the warnings are that hold, for the map. */
export function outlines(known: Neighbours | null, now: number): FeatureCollection {
  const holding = (known?.warnings ?? []).filter(HOLDING(now));
  return {
    type: "FeatureCollection",
    features: holding.flatMap((warning) => warning.outline.map((ring) => ({
      type: "Feature" as const, properties: { priority: priorityOf(warning) },
      geometry: { type: "Polygon" as const, coordinates: [ring] },
    }))),
  };
}
