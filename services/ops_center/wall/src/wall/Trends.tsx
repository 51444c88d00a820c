import { useEffect, useState } from "preact/hooks";

import { named } from "../i18n";
import { State, type Priority } from "../live/protocol";
import type { Board } from "./board";
import { Chart } from "./Chart";
import { POINTS, TrendFeed, type Trend } from "./feed";
import type { Band } from "./forecast";
import { number, scaled, span } from "./format";
import { useScale } from "./scale";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { AHEAD_MS, WINDOW_MS, longestStep } from "./trends";
import { t } from "./texts";
import { hasDomain } from "./view";

/** Eight metrics at their worst place, three hours back, redrawn once a second. */
export function Trends({ board, show }: { board: Board; show: Show }) {
  const [feed] = useState(() => new TrendFeed(board, (areaId) => show.covers(areaId)));
  const scale = useScale();
  const view = show.view.value;
  useEffect(() => board.subscribe((flush) => feed.take(flush)), [board, feed]);
  useEffect(() => feed.rechoose(), [view]);
  void board.epoch.value;
  const stamp = board.beat.value;
  const shown = feed.trends.filter(({ spec }) => {
    const metric = board.picture.metrics.get(spec.metric);
    return metric === undefined || hasDomain(view, metric.domain);
  });
  return (
    <section class="trends" style={{ gridTemplateColumns: `repeat(${Math.max(1, shown.length)}, minmax(0, 1fr))` }}>
      {shown.map((trend) => (
        <TrendTile key={trend.spec.metric} trend={trend} board={board} stamp={stamp} scale={scale} />
      ))}
    </section>
  );
}

interface TileProps {
  trend: Trend;
  board: Board;
  stamp: number;
  scale: number;
}

function TrendTile({ trend, board, stamp, scale }: TileProps) {
  const { picture, selection } = board;
  const { line, sensorId, spec } = trend;
  const metric = picture.metrics.get(spec.metric);
  const sensor = picture.sensors.indexOf.get(sensorId ?? "");
  const last = line.value[line.value.length - 1];
  const [figure, unit] = [number(last), scaled(0, metric?.unit ?? "")[1]];
  const rank = sensor === undefined ? State.never : stateOf(board, sensor, spec.metric);
  const priority = rank >= State.p4 ? ((State.p1 - rank + 1) as Priority) : null;
  const pick = (): void => {
    if (sensorId !== null) selection.value = { kind: "sensor", id: sensorId };
  };
  return (
    <button type="button" class={`trend ${rank === State.stale ? "stale" : ""}`} onClick={pick}>
      <div class="trend-head">
        <span>{priority !== null && <Shape priority={priority} />}{named(metric)}</span>
        <span><b>{figure}</b><small>{unit}</small></span>
      </div>
      <div class="trend-place">
        {sensor === undefined ? " " : picture.sensors.name[sensor] || sensorId}
        {rank === State.stale && <em>{t("silent_for", { span: span(stamp - (line.at[line.at.length - 1] ?? NaN)) })}</em>}
      </div>
      <Chart stamp={stamp} scale={scale} data={{
        at: line.at, value: line.value, range: ahead(line.range(stamp), trend.band), band: trend.band,
        longest: longestStep(metric?.interval_seconds, WINDOW_MS / POINTS),
        normal: [metric?.normal_low ?? null, metric?.normal_high ?? null],
        threshold: priority === null ? null : thresholdOf(board, sensorId, spec.metric),
      }} />
    </button>
  );
}

/** An hour more where something is foretold. */
function ahead([from, to]: [number, number], band: Band | null): [number, number] {
  return band === null ? [from, to] : [from, to + AHEAD_MS];
}

function stateOf(board: Board, sensor: number, metric: string): number {
  const { sensors, series } = board.picture;
  const index = sensors.series[sensor]?.find((own) => series.metric[own] === metric);
  return index === undefined ? State.never : series.state[index] ?? State.never;
}

/** The limit that the open incident on this series broke. */
function thresholdOf(board: Board, sensorId: string | null, metric: string): number | null {
  const incident = board.incidents.value.find(
    (one) => one.metric === metric && sensorId !== null && one.subjects.includes(sensorId));
  return incident?.threshold ?? null;
}
