/** The city's H3 cells and how the sensors in each of them are. Pure. */

import type { FeatureCollection, Polygon, Position } from "geojson";

import { State } from "../live/protocol";
import type { SensorColumns } from "../live/reducer";

export interface Cell {
  area_id: string;
  polygon: Polygon;
}

/** What is drawn of a cell. */
export interface CellLook {
  /** Sensors against the fullest cell, 0–1; its square root, as small numbers matter. */
  fill: number;
  /** Highest alarm among them as `State`, 0 for none. */
  alarm: number;
  /** Most of those that ever spoke are silent. */
  silent: boolean;
}

const BUCKET_DEGREES = 0.05;
const RANKS = 8;

export function cellFeatures(cells: readonly Cell[]): FeatureCollection<Polygon> {
  return {
    type: "FeatureCollection",
    features: cells.map((cell, id) => ({ type: "Feature", id, properties: {}, geometry: cell.polygon })),
  };
}

/** Counts sensors by cell and state, and keeps count as states change. */
export class Tally {
  /** The cell of each sensor, or -1. */
  private readonly cellOf: Int32Array;
  /** What each sensor was counted as. */
  private readonly rank: Uint8Array;
  /** Eight counts per cell, one for each state. */
  private readonly counts: Uint32Array;
  private readonly fullest: number;

  constructor(private readonly cells: readonly Cell[], sensors: SensorColumns) {
    this.cellOf = assign(cells, sensors);
    this.rank = sensors.state.slice();
    this.counts = new Uint32Array(cells.length * RANKS);
    this.cellOf.forEach((cell, sensor) => this.add(cell, this.rank[sensor] as number, 1));
    this.fullest = cells.reduce((most, _, cell) => Math.max(most, this.total(cell)), 1);
  }

  /** Counts a sensor anew; its cell, or -1 when nothing is different. */
  move(sensor: number, rank: number): number {
    const cell = this.cellOf[sensor] ?? -1;
    const before = this.rank[sensor] as number;
    if (cell < 0 || before === rank) return -1;
    this.add(cell, before, -1);
    this.add(cell, rank, 1);
    this.rank[sensor] = rank;
    return cell;
  }

  look(cell: number): CellLook {
    let alarm = 0;
    for (let rank: number = State.p1; rank >= State.p4 && alarm === 0; rank--) if (this.at(cell, rank) > 0) alarm = rank;
    const spoken = this.total(cell) - this.at(cell, State.never);
    return {
      fill: Math.sqrt(this.total(cell) / this.fullest), alarm,
      silent: spoken > 0 && 2 * this.at(cell, State.stale) > spoken,
    };
  }

  get size(): number {
    return this.cells.length;
  }

  private at(cell: number, rank: number): number {
    return this.counts[cell * RANKS + rank] as number;
  }

  private total(cell: number): number {
    let sum = 0;
    for (let rank = 0; rank < RANKS; rank++) sum += this.at(cell, rank);
    return sum;
  }

  private add(cell: number, rank: number, by: number): void {
    if (cell >= 0) this.counts[cell * RANKS + rank] = this.at(cell, rank) + by;
  }
}

/** The cell in which each sensor lies, or -1. */
export function assign(cells: readonly Cell[], { lon, lat }: SensorColumns): Int32Array {
  const buckets = new Map<string, number[]>();
  cells.forEach((cell, index) => {
    const ring = cell.polygon.coordinates[0] ?? [];
    const [xs, ys] = [ring.map(([x = 0]) => bucket(x)), ring.map(([, y = 0]) => bucket(y))];
    for (let x = Math.min(...xs); x <= Math.max(...xs); x++) {
      for (let y = Math.min(...ys); y <= Math.max(...ys); y++) {
        const name = `${x},${y}`;
        const found = buckets.get(name);
        if (found) found.push(index);
        else buckets.set(name, [index]);
      }
    }
  });
  return Int32Array.from(lon, (x, sensor) => {
    const y = lat[sensor] as number;
    const near = buckets.get(`${bucket(x)},${bucket(y)}`) ?? [];
    return near.find((index) => inside(cells[index]?.polygon.coordinates[0] ?? [], x, y)) ?? -1;
  });
}

function bucket(degrees: number): number {
  return Math.floor(degrees / BUCKET_DEGREES);
}

function inside(ring: Position[], x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [ax = 0, ay = 0] = ring[i] as Position;
    const [bx = 0, by = 0] = ring[j] as Position;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}
