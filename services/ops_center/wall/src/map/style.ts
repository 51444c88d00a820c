/** The map's own layers, from the land up to the alarms. No glyph server, no tiles, no sprites. */

import type { FeatureCollection } from "geojson";
import type {
  ExpressionSpecification, LayerSpecification, StyleSpecification,
} from "maplibre-gl";

import { State } from "../live/protocol";
import { FONT, declaredFaces } from "./fonts";
import type { Palette } from "./palette";

/** Everything an operator's own layers are put under. */
export const FIRST_BOUNDARY = "district-line";
export const SENSOR_LAYERS = ["sensors"];
export const CELL_LAYERS = ["cells", "cells-hatch", "cells-line"];
export const ABNORMAL_LAYERS = ["abnormal-halo", "abnormal", "abnormal-label"];

/** Filters a layer has of its own, besides the chosen domains. */
export const OWN_FILTERS: Readonly<Record<string, ExpressionSpecification>> = {
  // The halo asks for attention: only where nobody has taken the incident yet.
  "abnormal-halo": ["==", ["get", "held"], false],
  "abnormal-label": ["any", ["<=", ["get", "priority"], 2], [">=", ["zoom"], 9.5]],
};

const NOTHING = { type: "FeatureCollection" as const, features: [] };

/** The style of a city. `known`: what is to be seen already, by source. */
export function cityStyle(
  known: Readonly<Record<string, FeatureCollection>>, colours: Palette, scale: number,
): StyleSpecification {
  const source = (name: string) => ({ type: "geojson" as const, data: known[name] ?? NOTHING });
  return {
    version: 8,
    "font-faces": declaredFaces(),
    sources: {
      areas: { ...source("areas"), promoteId: "area_id" },
      cells: { ...source("cells"), tolerance: 0 },
      "area-labels": source("area-labels"),
      sensors: { ...source("sensors"), tolerance: 0, buffer: 16 },
      abnormal: { ...source("abnormal"), tolerance: 0 },
      chosen: source("chosen"),
      neighbours: source("neighbours"),
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colours.ground } },
      ...landLayers(colours, scale),
      ...cellLayers(colours, scale),
      ...neighbourLayers(colours, scale),
      sensorLayer(colours, scale),
      areaLabels(colours, scale),
      ...abnormalLayers(colours, scale),
      {
        id: "chosen", type: "circle", source: "chosen",
        paint: {
          "circle-radius": 19 * scale, "circle-color": "transparent",
          "circle-stroke-color": colours.text, "circle-stroke-width": 1.5 * scale,
        },
      },
    ],
  };
}

function landLayers(colours: Palette, scale: number): LayerSpecification[] {
  const districts: ExpressionSpecification = ["==", ["get", "level"], "district"];
  const city: ExpressionSpecification = ["==", ["get", "level"], "city"];
  return [
    {
      id: "city-shade", type: "line", source: "areas", filter: city,
      paint: {
        "line-color": colours.landLine, "line-width": 18 * scale, "line-blur": 18 * scale,
        "line-opacity": 0.28,
      },
    },
    { id: "land", type: "fill", source: "areas", filter: districts, paint: { "fill-color": colours.land } },
    {
      // Where most sensors are silent: nobody can tell how it is there.
      id: "silent", type: "fill", source: "areas", filter: districts,
      layout: { visibility: "none" },
      paint: { "fill-pattern": "hatch", "fill-opacity": shownIf("silent") },
    },
    {
      id: FIRST_BOUNDARY, type: "line", source: "areas", filter: districts,
      paint: { "line-color": colours.landLine, "line-width": 1.1 * scale },
    },
    {
      id: "city-line", type: "line", source: "areas", filter: city,
      layout: { "line-join": "round" },
      paint: { "line-color": colours.textFaint, "line-width": 1.6 * scale, "line-opacity": 0.75 },
    },
  ];
}

function shownIf(state: string): ExpressionSpecification {
  return ["case", ["boolean", ["feature-state", state], false], 1, 0];
}

/** Density when far: the more sensors the lighter; an alarm's colour, a hatch where they are silent. */
function cellLayers(colours: Palette, scale: number): LayerSpecification[] {
  const alarm: ExpressionSpecification = ["coalesce", ["feature-state", "alarm"], 0];
  const fill: ExpressionSpecification = ["coalesce", ["feature-state", "fill"], 0];
  const layout = { visibility: "none" as const };
  return [
    {
      id: "cells", type: "fill", source: "cells", layout,
      paint: {
        "fill-color": ["match", alarm, State.p1, colours.p1, State.p2, colours.p2, State.p3, colours.p3,
          State.p4, colours.p4, colours.normal],
        "fill-opacity": ["case", [">", alarm, 0], 0.55, ["+", 0.05, ["*", 0.6, fill]]],
      },
    },
    {
      id: "cells-hatch", type: "fill", source: "cells", layout,
      paint: { "fill-pattern": "hatch", "fill-opacity": shownIf("silent") },
    },
    {
      id: "cells-line", type: "line", source: "cells", layout,
      paint: { "line-color": colours.land, "line-width": 0.8 * scale },
    },
  ];
}

/** Where neighbouring cities warn: dashed, for it is theirs. */
function neighbourLayers(colours: Palette, scale: number): LayerSpecification[] {
  const layout = { visibility: "none" as const };
  const colour: ExpressionSpecification = ["match", ["get", "priority"], 1, colours.p1, 2, colours.p2, 3, colours.p3, colours.p4];
  return [
    { id: "neighbour-fill", type: "fill", source: "neighbours", layout, paint: { "fill-color": colour, "fill-opacity": 0.07 } },
    {
      id: "neighbour-line", type: "line", source: "neighbours", layout,
      paint: { "line-color": colour, "line-width": 1.8 * scale, "line-dasharray": [3, 2.5] },
    },
  ];
}

/** Names give way to alarms by moving around their place, but never vanish. */
function areaLabels(colours: Palette, scale: number): LayerSpecification {
  return {
    id: "area-label", type: "symbol", source: "area-labels",
    layout: {
      "text-field": ["get", "label"], "text-font": [FONT], "text-size": 17.5 * scale,
      "text-letter-spacing": 0.2, "text-overlap": "always",
      "text-variable-anchor": ["center", "bottom", "top", "right", "left"], "text-radial-offset": 1.3,
    },
    paint: {
      "text-color": colours.text, "text-halo-color": colours.land, "text-halo-width": 2.2 * scale,
      "text-halo-blur": 0.6 * scale,
    },
  };
}

/** One layer for every sensor; its look follows the feature state `s`. */
function sensorLayer(colours: Palette, scale: number): LayerSpecification {
  const state: ExpressionSpecification = ["coalesce", ["feature-state", "s"], ["get", "s"]];
  const by = (never: unknown, normal: unknown, stale: unknown, bad: unknown, alarm: unknown) =>
    ["match", state, State.never, never, State.normal, normal, State.stale, stale, State.bad, bad,
      alarm] as unknown as ExpressionSpecification;
  // Twice the pixels show the same land one zoom level deeper.
  const deeper = Math.log2(scale);
  const zoomed = (factor: number) =>
    by(0.9 * factor, 2.1 * factor, 2.8 * factor, 2.8 * factor, 2.1 * factor);
  return {
    id: "sensors", type: "circle", source: "sensors",
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 7 + deeper, zoomed(scale), 13 + deeper, zoomed(3 * scale)],
      "circle-color": by(colours.normal, colours.normal, colours.land, colours.land, colours.normal),
      "circle-opacity": by(0.55, 0.95, 1, 1, 0),
      "circle-stroke-color": by(colours.normal, colours.land, colours.textSoft, colours.p3, colours.land),
      "circle-stroke-width": by(0, 0.5 * scale, 1.2 * scale, 1.2 * scale, 0),
    },
  };
}

function abnormalLayers(colours: Palette, scale: number): LayerSpecification[] {
  const colour: ExpressionSpecification = [
    "match", ["get", "priority"], 1, colours.p1, 2, colours.p2, 3, colours.p3, colours.p4,
  ];
  return [
    {
      id: "abnormal-halo", type: "circle", source: "abnormal",
      filter: OWN_FILTERS["abnormal-halo"] as ExpressionSpecification,
      paint: {
        "circle-radius": ["match", ["get", "priority"], 1, 30 * scale, 2, 24 * scale, 19 * scale],
        "circle-color": colour, "circle-opacity": 0.3, "circle-blur": 0.85,
      },
    },
    {
      id: "abnormal-label", type: "symbol", source: "abnormal",
      filter: OWN_FILTERS["abnormal-label"] as ExpressionSpecification,
      layout: {
        "text-field": ["format", ["get", "name"], { "font-scale": 0.9 }, "\n", {}, ["get", "reading"], {}],
        "text-font": [FONT], "text-size": 15.5 * scale, "text-line-height": 1.25,
        "text-variable-anchor": ["left", "right", "bottom", "top"], "text-radial-offset": 1.35,
        "text-justify": "auto", "symbol-sort-key": ["get", "priority"], "text-max-width": 14,
      },
      paint: {
        "text-color": colours.text, "text-halo-color": colours.ground, "text-halo-width": 1.8 * scale,
      },
    },
    {
      id: "abnormal", type: "symbol", source: "abnormal",
      layout: {
        "icon-image": ["concat", "p", ["get", "priority"]], "icon-allow-overlap": true,
        "icon-ignore-placement": false, "symbol-sort-key": ["-", 5, ["get", "priority"]],
        "icon-size": ["match", ["get", "priority"], 1, 1.2, 2, 1, 0.9],
      },
    },
  ];
}
