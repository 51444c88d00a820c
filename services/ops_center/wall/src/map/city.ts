/** The living map: made once, then told what changed. Nothing here knows the page around it. */

import "maplibre-gl/dist/maplibre-gl.css";

import type { FeatureCollection, GeoJsonProperties, Point } from "geojson";
import { Map as GlMap, ScaleControl, prewarm, setWorkerUrl, type GeoJSONSource, type LngLatBoundsLike } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

import { DOMAINS, State, type Domain } from "../live/protocol";
import type { Picture, SensorColumns } from "../live/reducer";
import { reloadWhenServed } from "../reload";
import type { Cell } from "./grid";
import { boundsOf, labelPoints, type Bounds } from "./geometry";
import { Grid, type GridMode } from "./cells";
import { fontLoaded } from "./fonts";
import { Latest } from "./latest";
import { PRIORITIES, hatchImage, markerImage } from "./markers";
import type { Palette } from "./palette";
import { abnormalFeatures, samePlaces, sensorFeatures } from "./sensors";
import { ABNORMAL_LAYERS, OWN_FILTERS, SENSOR_LAYERS, cityStyle } from "./style";

setWorkerUrl(workerUrl);
prewarm(); // the workers load while the city's outline is asked for

const HOME_AFTER_MS = 120_000;
const RELOAD_AFTER_MS = 5000;
const FOCUS_ZOOM = 9.6;
const PICK_RADIUS = 8;

export interface CityMapOptions {
  container: HTMLElement;
  /** The city and its districts: properties `area_id`, `level`, `name_zh`, `name_en`. */
  areas: FeatureCollection;
  areaLabel(properties: GeoJsonProperties): string;
  colours: Palette;
  /** CSS pixels per design pixel: 1 on a 1080p wall, 2 on a 4K one. */
  scale: number;
  /** What it begins with, if that is known: drawn once with everything instead of twice. */
  picture?: Picture;
  padding: { top: number; right: number; bottom: number; left: number };
  label(series: number): string;
  /** The grid's cells, asked for when they are first wanted; without it there is no grid. */
  cells?: () => Promise<readonly Cell[]>;
  pick(sensor: number | null): void;
  /** Whether someone has moved the map away from the whole city. */
  strayed(strayed: boolean): void;
}

export class CityMap {
  readonly gl: GlMap;
  private ready = false;
  private waiting: (() => void)[] = [];
  private shown: SensorColumns | null = null;
  private painted = new Uint8Array(0); // the state of each sensor as the map has it
  private readonly grid: Grid;
  private readonly abnormal: Latest;
  private gridMode: GridMode = "auto";
  private bounds: Bounds | null;
  private settled: string | null = null;
  private centre: { lon: number; lat: number; zoom: number } | null = null;
  private homing: ReturnType<typeof setTimeout> | undefined;
  private strayed = false;
  private gone = false;

  constructor(readonly options: CityMapOptions) {
    const { areas, colours, padding, scale } = options;
    this.bounds = boundsOf(areas);
    // At home from the first frame: tiles asked for while the camera still moves can be lost.
    const home = this.bounds === null
      ? { center: [112, 30] as [number, number], zoom: 3 }
      : { bounds: this.bounds as LngLatBoundsLike, fitBoundsOptions: { padding } };
    this.gl = new GlMap({
      container: options.container, ...home,
      style: cityStyle({ areas, "area-labels": labelPoints(areas, options.areaLabel), ...this.first() }, colours, scale),
      minZoom: 3, maxZoom: 17, attributionControl: false,
      dragRotate: false, pitchWithRotate: false, fadeDuration: 0,
      localIdeographFontFamily: false,
    });
    this.grid = new Grid(this.gl, options.cells ?? (async () => []), () => this.homeZoom());
    this.abnormal = new Latest(this.gl, "abnormal");
    this.gl.touchZoomRotate.disableRotation();
    this.gl.addControl(new ScaleControl({ maxWidth: 120 * options.scale }), "bottom-right");
    // Not "load": that waits until everything without the sensors has been drawn once.
    void this.gl.once("style.load", () => void fontLoaded().then(() => this.gone || this.begin()));
    this.gl.on("click", (event) => this.hit(event.point));
    this.gl.on("movestart", (event) => "originalEvent" in event && event.originalEvent && this.stray());
    this.gl.on("resize", () => this.strayed || this.home(false));
    this.gl.getCanvas().addEventListener("webglcontextlost", () => this.perish());
  }

  destroy(): void {
    this.gone = true; // MapLibre gives its context up by losing it.
    clearTimeout(this.homing);
    this.gl.remove();
  }

  /** Runs at once, or as soon as the style is there; never once the graphics context is gone. */
  whenReady(run: () => void): void {
    if (this.gone) return;
    if (this.ready) run();
    else this.waiting.push(run);
  }

  /** A new picture. The big source is only replaced when the registry itself has changed. */
  setPicture(picture: Picture): void {
    this.whenReady(() => {
      const { sensors } = picture;
      if (this.shown !== null && samePlaces(this.shown, sensors)) {
        sensors.state.forEach((rank, index) => this.paint(index, rank));
        this.shown = sensors;
      } else {
        this.gl.removeFeatureState({ source: "sensors" });
        this.source("sensors").setData(this.place(picture));
      }
      void this.grid.arrange(picture, this.gridMode);
      this.setAbnormal(picture);
    });
  }

  showGrid(picture: Picture, mode: GridMode): void {
    this.gridMode = mode;
    this.whenReady(() => void this.grid.arrange(picture, mode));
  }

  /** Areas in which most sensors are silent, by id. */
  setSilent(areas: ReadonlyMap<string, boolean>): void {
    this.whenReady(() => {
      areas.forEach((silent, id) => this.gl.setFeatureState({ source: "areas", id }, { silent }));
      this.showLayers(["silent"], [...areas.values()].includes(true));
    });
  }

  setStates(picture: Picture, sensors: Iterable<number>): void {
    this.whenReady(() => {
      for (const sensor of sensors) this.paint(sensor, picture.sensors.state[sensor] ?? State.never);
      this.grid.follow(picture, sensors);
    });
  }

  setAbnormal(picture: Picture): void {
    this.whenReady(() => this.abnormal.show(() => abnormalFeatures(picture, this.options.label)));
  }

  showDomains(domains: readonly Domain[]): void {
    this.whenReady(() => {
      const chosen = DOMAINS.every((domain) => domains.includes(domain)) ? [] // another filter is another load
        : [["in", ["get", "domain"], ["literal", [...domains]]]];
      for (const layer of [...SENSOR_LAYERS, ...ABNORMAL_LAYERS]) {
        const filters = [...chosen, ...(OWN_FILTERS[layer] ? [OWN_FILTERS[layer]] : [])];
        this.gl.setFilter(layer, (filters.length > 1 ? ["all", ...filters] : filters[0] ?? null) as never);
      }
    });
  }

  showLayers(ids: readonly string[], visible: boolean): void {
    for (const id of ids) this.gl.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
  }

  /** A ring around the chosen place; null takes it away. */
  choose(point: [number, number] | null): void {
    const features = point === null ? [] : [{
      type: "Feature" as const, properties: {},
      geometry: { type: "Point" as const, coordinates: point },
    }];
    this.whenReady(() => this.source("chosen").setData({ type: "FeatureCollection", features }));
  }

  /** Nearer to a place, but not so near that the city around it is lost. */
  approach(point: [number, number]): void {
    this.whenReady(() => {
      this.stray();
      const zoom = Math.max(this.gl.getZoom(), FOCUS_ZOOM);
      this.gl.easeTo({ center: point, zoom, duration: 800 });
    });
  }

  /** What is home from now on: an area of the city, or a place; null for the whole city. */
  settle(areaId: string | null, centre: { lon: number; lat: number; zoom: number } | null): void {
    if (this.settled === areaId && this.centre === centre) return;
    this.settled = areaId;
    const { areas } = this.options;
    const features = areas.features.filter((one) => areaId === null || one.properties?.["area_id"] === areaId);
    this.bounds = boundsOf({ type: "FeatureCollection", features }) ?? boundsOf(areas);
    this.centre = centre;
    this.home();
  }

  /** These outlines for a while. */
  frame(features: FeatureCollection["features"]): void {
    const bounds = boundsOf({ type: "FeatureCollection", features });
    if (bounds === null) return;
    this.stray();
    this.gl.fitBounds(bounds as LngLatBoundsLike, { padding: this.options.padding, duration: 800 });
  }

  zoom(by: number): void {
    this.stray();
    this.gl.zoomTo(this.gl.getZoom() + by, { duration: 300 });
  }

  private homeZoom(): number {
    const { areas, padding } = this.options;
    const city = boundsOf(areas);
    return city === null ? 3 : this.gl.cameraForBounds(city as LngLatBoundsLike, { padding })?.zoom ?? 3;
  }

  /** Back to the whole city, or to what stands for it. */
  home(animate = true): void {
    clearTimeout(this.homing);
    this.setStrayed(false);
    const duration = animate ? 900 : 0;
    if (this.centre !== null) {
      const { lon, lat, zoom } = this.centre;
      this.gl.easeTo({ center: [lon, lat], zoom: zoom + Math.log2(this.options.scale), duration });
      return;
    }
    if (this.bounds === null) return;
    this.gl.fitBounds(this.bounds as LngLatBoundsLike, {
      padding: this.options.padding, duration,
    });
  }

  private setStrayed(strayed: boolean): void {
    this.strayed = strayed;
    this.options.strayed(strayed);
  }

  private begin(): void {
    const { colours, scale } = this.options;
    const ratio = Math.max(2, window.devicePixelRatio);
    for (const priority of PRIORITIES) {
      const image = markerImage(priority, colours, 26 * scale, ratio);
      this.gl.addImage(`p${priority}`, image, { pixelRatio: ratio });
    }
    this.gl.addImage("hatch", hatchImage(colours, 9 * scale, ratio), { pixelRatio: ratio });
    this.ready = true;
    this.waiting.splice(0).forEach((run) => run());
  }

  /** Without its graphics context the map is lost: only a new page brings it back. */
  private perish(): void {
    if (this.gone) return;
    this.gone = true;
    void reloadWhenServed(RELOAD_AFTER_MS);
  }

  private first(): Record<string, FeatureCollection> {
    const { picture, label } = this.options;
    if (picture === undefined || picture.epoch === 0) return {};
    return { sensors: this.place(picture), abnormal: abnormalFeatures(picture, label) };
  }

  private place(picture: Picture): FeatureCollection {
    this.shown = picture.sensors;
    this.painted = picture.sensors.state.slice();
    return sensorFeatures(picture);
  }

  private paint(sensor: number, rank: number): void {
    if (this.painted[sensor] === rank) return;
    this.painted[sensor] = rank;
    this.gl.setFeatureState({ source: "sensors", id: sensor }, { s: rank });
  }

  private source(name: string): GeoJSONSource {
    return this.gl.getSource(name) as GeoJSONSource;
  }

  /** Someone moved the map: leave it for two minutes, then show the city again. */
  private stray(): void {
    this.setStrayed(true);
    clearTimeout(this.homing);
    this.homing = setTimeout(() => this.home(), HOME_AFTER_MS);
  }

  private hit(point: { x: number; y: number }): void {
    const reach = PICK_RADIUS * this.options.scale;
    const box: [[number, number], [number, number]] = [
      [point.x - reach, point.y - reach], [point.x + reach, point.y + reach],
    ];
    const hits = this.gl.queryRenderedFeatures(box, { layers: ["abnormal", ...SENSOR_LAYERS] });
    const nearest = hits
      .map((hit) => {
        const place = this.gl.project((hit.geometry as Point).coordinates as [number, number]);
        const rank = hit.layer.id === "abnormal" ? 0 : hit.properties["s"] === State.never ? 2 : 1;
        return { index: Number(hit.properties["index"]), rank,
          distance: Math.hypot(place.x - point.x, place.y - point.y) };
      })
      .sort((a, b) => a.rank - b.rank || a.distance - b.distance)[0];
    this.options.pick(nearest?.index ?? null);
  }
}
