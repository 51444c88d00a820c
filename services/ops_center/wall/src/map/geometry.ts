/** Bounds and label places of GeoJSON. Pure. */

import type {
  FeatureCollection, GeoJsonProperties, Geometry, Point, Position,
} from "geojson";

export type Bounds = [number, number, number, number];

/** Outer rings of a polygon or multipolygon; nothing of anything else. */
export function outerRings(geometry: Geometry): Position[][] {
  if (geometry.type === "Polygon") return geometry.coordinates.slice(0, 1);
  if (geometry.type === "MultiPolygon") return geometry.coordinates.flatMap((part) => part.slice(0, 1));
  return [];
}

/** West, south, east, north of all areas; null when there are none. */
export function boundsOf(areas: FeatureCollection): Bounds | null {
  let bounds: Bounds | null = null;
  for (const feature of areas.features) {
    for (const [x = 0, y = 0] of outerRings(feature.geometry).flat()) {
      bounds = bounds === null ? [x, y, x, y] : [
        Math.min(bounds[0], x), Math.min(bounds[1], y),
        Math.max(bounds[2], x), Math.max(bounds[3], y),
      ];
    }
  }
  return bounds;
}

/** Centroid of the largest outer ring; null for a geometry without area. */
export function labelPoint(geometry: Geometry): [number, number] | null {
  let best: { size: number; at: [number, number] } | null = null;
  for (const ring of outerRings(geometry)) {
    const found = centroid(ring);
    if (found && (best === null || found.size > best.size)) best = found;
  }
  return best?.at ?? null;
}

/** One point per district, with the text that `label` gives it. */
export function labelPoints(
  areas: FeatureCollection, label: (properties: GeoJsonProperties) => string,
): FeatureCollection<Point> {
  const features = areas.features.flatMap((feature) => {
    const place = feature.properties?.["level"] === "district" ? labelPoint(feature.geometry) : null;
    if (place === null) return [];
    return [{
      type: "Feature" as const, geometry: { type: "Point" as const, coordinates: place },
      properties: { label: label(feature.properties) },
    }];
  });
  return { type: "FeatureCollection", features };
}

function centroid(ring: Position[]): { size: number; at: [number, number] } | null {
  let doubled = 0, x = 0, y = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i] as Position;
    const [bx = 0, by = 0] = ring[i + 1] as Position;
    const cross = ax * by - bx * ay;
    doubled += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  if (doubled === 0) return null;
  return { size: Math.abs(doubled), at: [x / (3 * doubled), y / (3 * doubled)] };
}
