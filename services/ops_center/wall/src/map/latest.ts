/** A source that is given its next data once it shows the last, and never the same twice: a load costs as much as the map. */

import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as GlMap } from "maplibre-gl";

export const PATIENCE_MS = 2000; // whatever a source still waits for then, it does not wait for its tiles

export class Latest {
  private next: (() => FeatureCollection) | null = null;
  private givenAt = -Infinity;
  private shown = "";

  constructor(private readonly gl: Pick<GlMap, "getSource" | "isSourceLoaded" | "on">, private readonly name: string) {
    gl.on("sourcedata", ({ sourceId }) => {
      if (sourceId === name && this.next !== null && gl.isSourceLoaded(name)) this.give(this.next);
    });
  }

  /** `data`: asked for when the source can take it. */
  show(data: () => FeatureCollection): void {
    if (this.gl.isSourceLoaded(this.name) || performance.now() - this.givenAt > PATIENCE_MS) this.give(data);
    else this.next = data;
  }

  private give(data: () => FeatureCollection): void {
    this.next = null;
    const found = data(), text = JSON.stringify(found);
    if (text === this.shown) return;
    this.shown = text;
    this.givenAt = performance.now();
    (this.gl.getSource(this.name) as GeoJSONSource).setData(found);
  }
}
