/** What people have chosen to see on this wall: layers, grid, a cursor in the list, help. */

import { signal } from "@preact/signals";

import { DOMAINS, type Domain } from "../live/protocol";
import type { GridMode } from "../map/cells";
import type { CityMap } from "../map/city";
import { hasDomain, type ShownView } from "./view";

/** Names of domains and of further layers that are switched off. */
export const hidden = signal<readonly string[]>([]);
export const grid = signal<GridMode>("auto");
export const map = signal<CityMap | null>(null);
/** The incident at which Enter would open a card. */
export const cursor = signal<string | null>(null);
export const help = signal(false);

const GRID_AFTER: Record<GridMode, GridMode> = { auto: "on", on: "off", off: "auto" };

export function flipLayer(name: string): void {
  const off = hidden.value.includes(name);
  hidden.value = off ? hidden.value.filter((one) => one !== name) : [...hidden.value, name];
}

export function flipGrid(): void {
  grid.value = GRID_AFTER[grid.value];
}

/** The domains that are on the map: those of the view that nobody has switched off. */
export function domainsShown(view: ShownView | null): Domain[] {
  return DOMAINS.filter((domain) => hasDomain(view, domain) && !hidden.value.includes(domain));
}
