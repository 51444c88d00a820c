/** The city among its districts and its neighbours. */

import type { FeatureCollection } from "geojson";
import type { GeoJSONSource } from "maplibre-gl";

import type { CityMap } from "./city";

const NEIGHBOUR_LAYERS = ["neighbour-fill", "neighbour-line"]; // of the style

/** A district for a while. */
export function visit(map: CityMap, areaId: string): void {
  map.frame(map.options.areas.features.filter((one) => one.properties?.["area_id"] === areaId));
}

/** The city and what lies beside it, for a while; nothing where nothing does. */
export function lookBeside(map: CityMap, outlines: FeatureCollection): void {
  if (outlines.features.length > 0) map.frame([...outlines.features, ...map.options.areas.features]);
}

/** Where neighbouring cities warn. */
export function showNeighbours(map: CityMap, outlines: FeatureCollection): void {
  map.whenReady(() => {
    const some = outlines.features.length > 0;
    if (some) (map.gl.getSource("neighbours") as GeoJSONSource).setData(outlines);
    map.showLayers(NEIGHBOUR_LAYERS, some);
  });
}
