import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FeatureCollection } from "geojson";

import { get } from "../api";
import { language, named } from "../i18n";
import { State, type Domain } from "../live/protocol";
import { CityMap, type CityMapOptions } from "../map/city";
import { addListed, type LayerItem } from "../map/layers";
import { palette } from "../map/palette";
import type { Board, Flush } from "./board";
import { number, scaled } from "./format";
import { Legend } from "./Legend";
import { useScale } from "./scale";
import { t } from "./texts";
import { theme } from "./theme";

const DOMAINS: readonly Domain[] = ["traffic", "environment", "utilities"];
const ALARM_EVERY_MS = 2000;
const RETRY_MS = 10_000;

interface Listed {
  name: string;
  ids: string[];
}

type Areas = FeatureCollection & { attribution?: string };

/** The map with its switches and legend. */
export function MapPanel({ board }: { board: Board }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<CityMap | null>(null);
  const scale = useScale();
  const areas = useSignal<Areas | null>(null);
  const listed = useSignal<Listed[]>([]);
  const strayed = useSignal(false);
  const hidden = useSignal<readonly string[]>([]);

  useEffect(() => keepTrying(async () => {
    areas.value = await get<Areas>("/v1/map/areas");
  }), [areas]);

  useEffect(() => {
    if (areas.value === null) return undefined;
    const made = makeMap(
      { container: box.current as HTMLDivElement, areas: areas.value, scale,
        strayed: (away) => (strayed.value = away) }, board);
    map.current = made;
    const stopLayers = keepTrying(async () => {
      const { items } = await get<{ items: LayerItem[] }>("/v1/map/layers");
      made.whenReady(() => void addAll(made, items, scale).then((found) => (listed.value = found)));
    });
    const stopFeeding = feed(made, board);
    made.showDomains(DOMAINS.filter((domain) => !hidden.peek().includes(domain)));
    return () => {
      stopLayers();
      stopFeeding();
      made.destroy();
    };
  }, [board, areas.value, scale, theme.value, language.value]);

  useEffect(() => focusOn(map.current, board), [board.selection.value]);

  const toggle = (name: string, ids: string[] | null): void => {
    const off = hidden.value.includes(name);
    hidden.value = off ? hidden.value.filter((one) => one !== name) : [...hidden.value, name];
    if (ids) map.current?.showLayers(ids, off);
    else map.current?.showDomains(DOMAINS.filter((domain) => !hidden.value.includes(domain)));
  };
  return (
    <section class="map">
      <div class="map-canvas" ref={box} />
      <nav class="layers" aria-label={t("layers")}>
        {DOMAINS.map((domain) => (
          <Switch key={domain} text={t(domain)} on={!hidden.value.includes(domain)}
            flip={() => toggle(domain, null)} />
        ))}
        {listed.value.map(({ name, ids }) => (
          <Switch key={name} text={name} on={!hidden.value.includes(name)} flip={() => toggle(name, ids)} />
        ))}
        {strayed.value && (
          <button type="button" class="home" onClick={() => map.current?.home()}>{t("home")}</button>
        )}
      </nav>
      <Legend board={board} />
      {areas.value?.attribution && <div class="attribution">{areas.value.attribution}</div>}
    </section>
  );
}

function Switch({ text, on, flip }: { text: string; on: boolean; flip: () => void }) {
  return <button type="button" aria-pressed={on} onClick={flip}>{text}</button>;
}

function makeMap(
  own: Pick<CityMapOptions, "container" | "areas" | "scale" | "strayed">, board: Board,
): CityMap {
  const { picture, selection } = board;
  const room = (pixels: number): number => pixels * own.scale;
  return new CityMap({
    ...own, colours: palette(),
    areaLabel: (properties) => named(properties as { name_zh: string; name_en: string }),
    padding: { top: room(34), right: room(40), bottom: room(30), left: room(40) },
    label: (series) => {
      const metric = picture.metrics.get(picture.series.metric[series] ?? "");
      const [figure, unit] = scaled(picture.series.value[series] ?? NaN, metric?.unit ?? "");
      return `${number(figure)} ${unit}`;
    },
    pick: (sensor) => {
      const id = sensor === null ? undefined : picture.sensors.id[sensor];
      selection.value = id === undefined ? null : { kind: "sensor", id };
    },
  });
}

/** States four times a second; the alarms' own source when one comes or goes, their values less often. */
function feed(map: CityMap, board: Board): () => void {
  const { picture } = board;
  let alarmsAt = 0, due = false;
  if (picture.epoch > 0) map.setPicture(picture);
  const alarmed = (series: number): boolean => (picture.series.state[series] ?? 0) >= State.p4;
  return board.subscribe((flush: Flush) => {
    if (flush.snapshot) {
      map.setPicture(picture);
      return;
    }
    map.setStates(picture, flush.sensors);
    const urgent = flush.sensors.size > 0 || flush.incidents;
    due ||= urgent || [...flush.series].some(alarmed);
    if (!due || (!urgent && performance.now() - alarmsAt < ALARM_EVERY_MS)) return;
    due = false;
    alarmsAt = performance.now();
    map.setAbnormal(picture);
  });
}

async function addAll(map: CityMap, items: LayerItem[], scale: number): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const item of items) {
    try {
      const ids = await addListed(map.gl, item, palette(), scale);
      if (ids.length > 0) found.push({ name: item.name, ids });
    } catch (error) {
      console.warn(`layer ${item.name} left out:`, error);
    }
  }
  return found;
}

function focusOn(map: CityMap | null, board: Board): void {
  const { picture, selection } = board;
  const chosen = selection.value;
  if (map === null) return;
  const id = chosen?.kind === "incident" ? picture.incidents.get(chosen.id)?.subjects[0] : chosen?.id;
  const sensor = picture.sensors.indexOf.get(id ?? "") ?? -1;
  const lon = picture.sensors.lon[sensor], lat = picture.sensors.lat[sensor];
  const point: [number, number] | null =
    typeof lon === "number" && typeof lat === "number" ? [lon, lat] : null;
  map.choose(point);
  if (point !== null && chosen?.kind === "incident") map.approach(point);
}

/** Runs until it succeeds once; returns how to give up. */
function keepTrying(task: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const attempt = (): void => {
    task().catch(() => (timer = setTimeout(attempt, RETRY_MS)));
  };
  attempt();
  return () => clearTimeout(timer);
}
