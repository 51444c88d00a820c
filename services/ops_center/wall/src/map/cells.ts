/** The grid on the map: density when far, single sensors when near. */

import type { GeoJSONSource, Map as GlMap } from "maplibre-gl";

import type { Picture } from "../live/reducer";
import { Tally, cellFeatures, type Cell } from "./grid";
import { CELL_LAYERS, SENSOR_LAYERS } from "./style";

/** With more sensors than this, a whole city's dots are a blot: cells stand for them when far. */
export const CROWD = 5000;
/** Zoom levels beyond the whole city at which single sensors take over. */
const NEARER = 1.4;
const DEEPEST = 24;

export type GridMode = "auto" | "on" | "off";

export class Grid {
  private cells: readonly Cell[] = [];
  private tally: Tally | null = null;
  private mode: GridMode = "auto";
  private asked = false;

  /** `homeZoom`: the zoom level at which the whole city is seen. */
  constructor(
    private readonly gl: GlMap, private readonly load: () => Promise<readonly Cell[]>,
    private readonly homeZoom: () => number,
  ) {}

  /** A new picture, or another wish. */
  async arrange(picture: Picture, mode: GridMode): Promise<void> {
    this.mode = mode;
    if (!this.wanted(picture)) return this.hide();
    if (!this.asked) {
      this.asked = true;
      this.cells = await this.load().catch(() => []);
      this.source().setData(cellFeatures(this.cells));
    }
    if (this.cells.length === 0 || !this.wanted(picture)) return this.hide();
    this.tally = new Tally(this.cells, picture.sensors);
    for (let cell = 0; cell < this.cells.length; cell++) this.paint(cell);
    this.range(this.mode === "auto" ? this.homeZoom() + NEARER : null);
  }

  /** Sensors whose state has changed. */
  follow(picture: Picture, sensors: Iterable<number>): void {
    if (this.tally === null) return;
    const dirty = new Set<number>();
    for (const sensor of sensors) {
      const cell = this.tally.move(sensor, picture.sensors.state[sensor] ?? 0);
      if (cell >= 0) dirty.add(cell);
    }
    dirty.forEach((cell) => this.paint(cell));
  }

  private wanted(picture: Picture): boolean {
    return this.mode === "on" || (this.mode === "auto" && picture.sensors.id.length > CROWD);
  }

  private hide(): void {
    this.tally = null;
    for (const layer of CELL_LAYERS) this.gl.setLayoutProperty(layer, "visibility", "none");
    for (const layer of SENSOR_LAYERS) this.gl.setLayerZoomRange(layer, 0, DEEPEST);
  }

  /** `border`: cells below this zoom, single sensors above it; null: both, everywhere. */
  private range(border: number | null): void {
    for (const layer of CELL_LAYERS) {
      this.gl.setLayoutProperty(layer, "visibility", "visible");
      this.gl.setLayerZoomRange(layer, 0, border ?? DEEPEST);
    }
    for (const layer of SENSOR_LAYERS) this.gl.setLayerZoomRange(layer, border ?? 0, DEEPEST);
  }

  private paint(cell: number): void {
    const look = (this.tally as Tally).look(cell);
    this.gl.setFeatureState({ source: "cells", id: cell }, { ...look });
  }

  private source(): GeoJSONSource {
    return this.gl.getSource("cells") as GeoJSONSource;
  }
}
