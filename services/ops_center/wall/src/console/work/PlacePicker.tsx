import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FeatureCollection } from "geojson";

import { get } from "../../api";
import { language, named } from "../../i18n";
import type { CityMap } from "../../map/city";
import { palette } from "../../map/palette";
import { theme } from "../../wall/theme";
import type { Desk } from "../desk";
import { Text } from "../Fields";
import { w } from "./texts";

const DECIMALS = 6;

export interface Place {
  lon: Signal<string>;
  lat: Signal<string>;
}

/** Both coordinates as numbers, or null while they are not. */
export function placed({ lon, lat }: Place): { lon: number; lat: number } | null {
  const at = { lon: Number(lon.value), lat: Number(lat.value) };
  const given = lon.value.trim() !== "" && lat.value.trim() !== "";
  return given && Math.abs(at.lon) <= 180 && Math.abs(at.lat) <= 90 ? at : null;
}

/** A place by a click on the map, or by its coordinates; each follows the other. */
export function PlacePicker({ place, desk, id }: { place: Place; desk: Desk; id: string }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useSignal<CityMap | null>(null);
  useEffect(() => {
    let gone = false;
    void draw(box.current as HTMLDivElement, desk).then((made) => {
      if (gone) return made.destroy();
      made.gl.on("click", ({ lngLat }) => {
        place.lon.value = lngLat.lng.toFixed(DECIMALS);
        place.lat.value = lngLat.lat.toFixed(DECIMALS);
      });
      map.value = made;
    }, () => undefined);
    return () => {
      gone = true;
      map.value?.destroy();
      map.value = null;
    };
  }, [theme.value, language.value]);
  const at = placed(place);
  useEffect(() => map.value?.choose(at === null ? null : [at.lon, at.lat]), [map.value, at?.lon, at?.lat]);
  return (
    <div class="place-picker">
      <div class="place-map" ref={box} data-testid={`${id}-map`} data-ready={map.value !== null} aria-label={w("place_hint")} role="group" />
      <div class="pair">
        <Text id={`${id}-lon`} label={w("lon")} type="number" value={place.lon} />
        <Text id={`${id}-lat`} label={w("lat")} type="number" value={place.lat} />
      </div>
    </div>
  );
}

async function draw(container: HTMLDivElement, desk: Desk): Promise<CityMap> {
  const [{ CityMap: Made }, areas] = await Promise.all([import("../../map/city"), get<FeatureCollection>("/v1/map/areas")]);
  const made = new Made({
    container, areas, colours: palette(), scale: 1, padding: { top: 12, right: 12, bottom: 12, left: 12 },
    areaLabel: (properties) => named(properties as { name_zh: string; name_en: string }),
    label: () => "", pick: () => undefined, strayed: () => undefined,
  });
  if (desk.board.picture.epoch > 0) made.setPicture(desk.board.picture);
  return made;
}
