import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FeatureCollection } from "geojson";

import { get } from "../api";
import { language, named } from "../i18n";
import type { CityMap, CityMapOptions } from "../map/city";
import type { Following } from "../map/following";
import { palette } from "../map/palette";
import { number, scaled } from "../wall/format";
import { theme } from "../wall/theme";
import type { Desk } from "./desk";
import { t } from "./strings";

const KEPT_AS = "yiwang.console.map";
const ASK_AGAIN_MS = 10_000;

export const mapShown = signal(kept());

export function toggleMap(): void {
  mapShown.value = !mapShown.value;
  try {
    localStorage.setItem(KEPT_AS, mapShown.value ? "on" : "off");
  } catch {
    // A locked-down browser keeps the choice for this visit only.
  }
}

type Areas = FeatureCollection & { attribution?: string };

/** Where the incidents are; a click on an alarm opens its incident. */
export function MapPane({ desk }: { desk: Desk }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useSignal<CityMap | null>(null);
  const areas = useSignal<Areas | null>(null);
  const strayed = useSignal(false);
  useEffect(() => untilFound((found) => (areas.value = found)), []);
  useEffect(() => {
    if (areas.value === null) return undefined;
    let gone = false, stop = (): void => {};
    const own = { container: box.current as HTMLDivElement, areas: areas.value,
      strayed: (away: boolean) => void (strayed.value = away) };
    void draw(own, desk).then(([made, following]) => {
      if (gone) return made.destroy();
      const unsubscribe = desk.board.subscribe((flush) => following.hear(flush));
      stop = () => (unsubscribe(), following.stop());
      map.value = made;
    });
    return () => {
      gone = true;
      stop();
      map.value?.destroy();
      map.value = null;
    };
  }, [areas.value, theme.value, language.value]);
  useEffect(() => point(map.value, desk), [map.value, desk.selected.value, desk.board.epoch.value]);
  return (
    <section class="pane map-pane" aria-label={t("map")}>
      <div class="map-canvas" ref={box} />
      {strayed.value && (
        <button type="button" class="map-home" onClick={() => map.value?.home()}>{t("whole_city")}</button>
      )}
      {areas.value?.attribution && <p class="attribution">{areas.value.attribution}</p>}
    </section>
  );
}

/** The map's code is large and comes only when it is wanted. */
async function draw(
  own: Pick<CityMapOptions, "container" | "areas" | "strayed">, desk: Desk,
): Promise<[CityMap, Following]> {
  const [{ CityMap: Made }, { Following: Follower }] = await Promise.all([import("../map/city"), import("../map/following")]);
  const { picture } = desk.board;
  const made = new Made({
    ...own, picture, colours: palette(), scale: 1,
    padding: { top: 24, right: 24, bottom: 32, left: 24 },
    areaLabel: (properties) => named(properties as { name_zh: string; name_en: string }),
    label: (series) => {
      const metric = picture.metrics.get(picture.series.metric[series] ?? "");
      const [figure, unit] = scaled(picture.series.value[series] ?? NaN, metric?.unit ?? "");
      return `${number(figure)} ${unit}`;
    },
    pick: (sensor) => {
      const id = sensor === null ? undefined : picture.sensors.id[sensor];
      const found = id && desk.open.value.find((incident) => incident.subjects.includes(id));
      if (found) desk.select(found.id);
    },
  });
  return [made, new Follower(made, picture)];
}

/** Asks for the city's outline until it comes; returns how to give up. */
function untilFound(take: (areas: Areas) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = (): void =>
    void get<Areas>("/v1/map/areas").then(take, () => (timer = setTimeout(ask, ASK_AGAIN_MS)));
  ask();
  return () => clearTimeout(timer);
}

function point(map: CityMap | null, desk: Desk): void {
  const { sensors } = desk.board.picture;
  const subject = desk.incident(desk.selected.value ?? "")?.subjects[0] ?? "";
  const index = sensors.indexOf.get(subject) ?? -1;
  const lon = sensors.lon[index], lat = sensors.lat[index];
  const place: [number, number] | null = lon === undefined || lat === undefined ? null : [lon, lat];
  map?.choose(place);
  if (place !== null) map?.approach(place);
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT_AS) !== "off";
  } catch {
    return true;
  }
}
