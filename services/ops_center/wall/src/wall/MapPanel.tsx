import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FeatureCollection } from "geojson";

import { get } from "../api";
import { language, named } from "../i18n";
import { DOMAINS } from "../live/protocol";
import type { CityMap, CityMapOptions } from "../map/city";
import type { Following } from "../map/following";
import type { addListed as AddListed, LayerItem } from "../map/layers";
import { palette } from "../map/palette";
import { showNeighbours } from "../map/region";
import type { Cell } from "../map/grid";
import type { Board, Flush } from "./board";
import { domainsShown, flipGrid, flipLayer, grid, hidden, map } from "./chosen";
import { silentAreas } from "./districts";
import { number, scaled } from "./format";
import { outlines } from "./neighbours";
import { Legend } from "./Legend";
import { useScale } from "./scale";
import type { Show } from "./show";
import { t } from "./texts";
import { theme } from "./theme";
import { hasDomain } from "./view";

const SILENT_EVERY_MS = 5000;
const RETRY_MS = 10_000;
const BARE_AFTER_MS = 2000; // without a picture the land alone is drawn

/** The map's code is nine tenths of the wall's: the figures do not wait for it. */
const drawing = () => Promise.all([import("../map/city"), import("../map/layers"), import("../map/following")]);
void drawing().catch(() => undefined); // asked for at once; whoever needs it asks again

interface Listed {
  name: string;
  ids: string[];
}

type Areas = FeatureCollection & { attribution?: string };

interface Drawn {
  areas: Areas;
  Made: typeof CityMap;
  addListed: typeof AddListed;
  Follower: typeof Following;
}

/** The map with its switches and legend. */
export function MapPanel({ board, show }: { board: Board; show: Show }) {
  const box = useRef<HTMLDivElement>(null);
  const scale = useScale();
  const drawn = useSignal<Drawn | null>(null);
  const listed = useSignal<Listed[]>([]);
  const strayed = useSignal(false);
  const view = show.view.value;
  const bare = useSignal(false);
  const begin = board.epoch.value > 0 || bare.value;

  useEffect(() => {
    const timer = setTimeout(() => (bare.value = true), BARE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [bare]);
  useEffect(() => keepTrying(async () => {
    const [areas, [{ CityMap: Made }, { addListed }, { Following: Follower }]] =
      await Promise.all([get<Areas>("/v1/map/areas"), drawing()]);
    drawn.value = { areas, Made, addListed, Follower };
  }), [drawn]);

  useEffect(() => {
    if (drawn.value === null || !begin) return undefined;
    const { areas, Made, addListed, Follower } = drawn.value;
    const made = new Made(optionsOf(
      { container: box.current as HTMLDivElement, areas, scale,
        strayed: (away) => (strayed.value = away) }, board));
    map.value = made;
    const stopLayers = keepTrying(async () => {
      const { items } = await get<{ items: LayerItem[] }>("/v1/map/layers");
      made.whenReady(() => void addAll(made, items, scale, addListed).then((found) => (listed.value = found)));
    });
    const stopFeeding = feed(made, new Follower(made, board.picture), board);
    return () => {
      stopLayers();
      stopFeeding();
      map.value = null;
      made.destroy();
    };
  }, [board, drawn.value, begin, scale, theme.value, language.value]);

  useEffect(() => map.value?.settle(view?.area_id ?? null, view?.centre ?? null), [map.value, view]);
  useEffect(() => map.value?.showDomains(domainsShown(view)), [map.value, view, hidden.value]);
  useEffect(() => map.value?.showGrid(board.picture, grid.value), [map.value, grid.value]);
  useEffect(() => {
    if (map.value !== null) showNeighbours(map.value, outlines(board.neighbours.value?.warnings ?? [], board.now()));
  }, [map.value, board.neighbours.value]);
  useEffect(() => focusOn(map.value, board), [map.value, board.selection.value]);
  useEffect(() => {
    for (const { name, ids } of listed.value) map.value?.showLayers(ids, !hidden.value.includes(name));
  }, [listed.value, hidden.value]);

  return (
    <section class="map">
      <div class="map-canvas" ref={box} />
      <nav class="layers" aria-label={t("layers")}>
        {DOMAINS.filter((domain) => hasDomain(view, domain)).map((domain) => (
          <Switch key={domain} text={t(domain)} on={!hidden.value.includes(domain)} flip={() => flipLayer(domain)} />
        ))}
        {listed.value.map(({ name }) => (
          <Switch key={name} text={name} on={!hidden.value.includes(name)} flip={() => flipLayer(name)} />
        ))}
        <Switch text={t(`grid_${grid.value}`)} on={grid.value !== "off"} flip={flipGrid} />
        {strayed.value && (
          <button type="button" class="home" onClick={() => map.value?.home()}>{t("home")}</button>
        )}
      </nav>
      <Legend board={board} show={show} />
      {drawn.value?.areas.attribution && <div class="attribution">{drawn.value.areas.attribution}</div>}
    </section>
  );
}

function Switch({ text, on, flip }: { text: string; on: boolean; flip: () => void }) {
  return <button type="button" aria-pressed={on} onClick={flip}>{text}</button>;
}

function optionsOf(
  own: Pick<CityMapOptions, "container" | "areas" | "scale" | "strayed">, board: Board,
): CityMapOptions {
  const { picture, selection } = board;
  const room = (pixels: number): number => pixels * own.scale;
  return {
    ...own, picture, colours: palette(),
    areaLabel: (properties) => named(properties as { name_zh: string; name_en: string }),
    padding: { top: room(34), right: room(40), bottom: room(30), left: room(40) },
    label: (series) => {
      const metric = picture.metrics.get(picture.series.metric[series] ?? "");
      const [figure, unit] = scaled(picture.series.value[series] ?? NaN, metric?.unit ?? "");
      return `${number(figure)} ${unit}`;
    },
    cells: async () => (await get<{ items: Cell[] }>("/v1/areas", { level: "cell", polygons: "true" })).items,
    pick: (sensor) => {
      const id = sensor === null ? undefined : picture.sensors.id[sensor];
      selection.value = id === undefined ? null : { kind: "sensor", id };
    },
  };
}

/** What the map shows; and now and then, which areas have fallen silent. */
function feed(map: CityMap, following: Following, board: Board): () => void {
  const { picture } = board;
  let silentAt = 0;
  const judge = (): void => {
    silentAt = performance.now();
    map.setSilent(silentAreas(picture));
  };
  if (picture.epoch > 0) judge();
  const unsubscribe = board.subscribe((flush: Flush) => {
    following.hear(flush);
    if (flush.snapshot || (flush.sensors.size > 0 && performance.now() - silentAt > SILENT_EVERY_MS)) judge();
  });
  return () => {
    unsubscribe();
    following.stop();
  };
}

async function addAll(
  map: CityMap, items: LayerItem[], scale: number, addListed: typeof AddListed,
): Promise<Listed[]> {
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
