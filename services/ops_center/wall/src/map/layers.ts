/** Layers an operator dropped into the data directory: GeoJSON, or one PMTiles base map. */

import type { FeatureCollection } from "geojson";
import { addProtocol, type LayerSpecification, type Map as GlMap } from "maplibre-gl";

import { authHeaders, get } from "../api";
import type { Palette } from "./palette";
import { FIRST_BOUNDARY } from "./style";

export interface LayerItem {
  name: string;
  url: string;
  kind: "geojson" | "pmtiles";
}

/** Adds one listed layer below the boundaries; returns the ids to switch it with. */
export async function addListed(
  map: GlMap, item: LayerItem, colours: Palette, scale: number,
): Promise<string[]> {
  const source = `listed-${item.name}`;
  if (map.getSource(source)) return [];
  const layers = item.kind === "pmtiles"
    ? await addTiles(map, source, item, colours, scale)
    : await addGeojson(map, source, item, colours, scale);
  layers.forEach((layer) => map.addLayer(layer, FIRST_BOUNDARY));
  return layers.map((layer) => layer.id);
}

async function addGeojson(
  map: GlMap, source: string, item: LayerItem, colours: Palette, scale: number,
): Promise<LayerSpecification[]> {
  const data = await get<FeatureCollection>(item.url);
  map.addSource(source, { type: "geojson", data });
  const line = /river|water|河|水/i.test(item.name) ? colours.water : colours.lineStrong;
  const width = /river|water|河|水/i.test(item.name) ? 3.2 : 0.8;
  return [
    {
      id: `${source}-fill`, type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": line, "fill-opacity": 0.7 },
    },
    {
      id: `${source}-line`, type: "line", source,
      filter: ["!=", ["geometry-type"], "Point"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": line,
        "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 7, width * scale, 13, 4 * width * scale],
      },
    },
    {
      id: `${source}-point`, type: "circle", source, filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 1.5 * scale, "circle-color": line },
    },
  ];
}

/** The names of Protomaps' and OpenMapTiles' source layers that are worth a quiet base map. */
const TILE_FILLS = /^(water|ocean|waterway_area)$/;
const TILE_LINES = /^(roads|transportation|waterway|physical_line)$/;

async function addTiles(
  map: GlMap, source: string, item: LayerItem, colours: Palette, scale: number,
): Promise<LayerSpecification[]> {
  const { FetchSource, PMTiles, Protocol } = await import("pmtiles");
  const address = new URL(item.url, location.href).href;
  const archive = new PMTiles(new FetchSource(address, new Headers(authHeaders())));
  const protocol = new Protocol();
  protocol.add(archive);
  addProtocol("pmtiles", protocol.tile);
  map.addSource(source, { type: "vector", url: `pmtiles://${address}` });
  const metadata = await archive.getMetadata() as { vector_layers?: { id: string }[] };
  const names = (metadata.vector_layers ?? []).map((layer) => layer.id);
  return names.flatMap((name): LayerSpecification[] => {
    const common = { source, "source-layer": name };
    if (TILE_FILLS.test(name)) {
      return [{ id: `${source}-${name}`, type: "fill", ...common,
        filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colours.water } }];
    }
    if (!TILE_LINES.test(name)) return [];
    return [{ id: `${source}-${name}`, type: "line", ...common,
      paint: { "line-color": /water|physical/.test(name) ? colours.water : colours.lineStrong,
        "line-width": 0.8 * scale } }];
  });
}
