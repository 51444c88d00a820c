import { useSignal } from "@preact/signals";

import { get, patch } from "../api";
import { language, named } from "../i18n";
import { person } from "../login/session";
import type { Incident } from "../live/protocol";
import { facts, span } from "../wall/format";
import { Shape } from "../wall/Shape";
import { may } from "./commands";
import type { Desk } from "./desk";
import { Failure } from "./Dialog";
import { moment } from "./moment";
import type { Answer } from "./paging";
import { Readings } from "./Readings";
import { hashOf } from "./route";
import type { ListedRule } from "./Rules";
import { condition } from "./condition";
import type { Sensor } from "./sensor";
import { n } from "./sensor-texts";
import { SensorDialog } from "./setup/SensorDialog";
import { s } from "./setup/texts";
import { t } from "./strings";
import { Sure } from "./Sure";
import { useOne, useTask } from "./task";
import { Trace } from "./Trace";
import { neighboursOf, watches } from "./watching";

const DAY_MS = 86_400_000;
const NEIGHBOURS = 8;

/** Everything about one sensor: its readings, how good they are, who watches it, what stands near it. */
export function SensorPage({ id, desk }: { id: string; desk: Desk }) {
  const sensor = useOne<Sensor>((signal) => get(`/v1/sensors/${encodeURIComponent(id)}`, {}, signal), [id]);
  const rules = useOne<Answer<ListedRule>>((signal) => get("/v1/rules", { limit: 500 }, signal), [id]);
  const found = sensor.value.value;
  if (sensor.error.value !== null) return <p class="nothing" role="alert"><b>{n("missing")}</b></p>;
  if (found === null || found.sensor_id !== id) return <p class="nothing">{t("loading")}</p>;
  const watchers = (rules.value.value?.items ?? []).filter((rule) => watches(rule, id, found.metrics, [found.area_id, cityOf(desk)]));
  return (
    <div class="sensor-page" data-testid="sensor-page" data-id={id}>
      <Head sensor={found} desk={desk} changed={sensor.reload} />
      <div class="sensor-grid">
        <div class="stack">
          {found.metrics.map((metric) => {
            const own = watchers.filter((rule) => rule.metric === metric);
            const limit = own.map((rule) => rule.above ?? rule.below ?? rule.levels?.[0]?.above ?? rule.levels?.[0]?.below ?? null).find((one) => one !== null) ?? null;
            return (
              <section key={metric} class="sensor-metric">
                <Trace subject={id} metric={metric} threshold={limit} until={null} desk={desk}
                  title={named(desk.board.picture.metrics.get(metric)) || metric} />
                <Quality id={id} metric={metric} desk={desk} />
              </section>
            );
          })}
        </div>
        <div class="stack">
          <Watchers rules={watchers} desk={desk} />
          <Incidents id={id} desk={desk} />
          <Neighbours sensor={found} desk={desk} />
        </div>
      </div>
    </div>
  );
}

function cityOf(desk: Desk): string {
  return String(desk.board.city.value?.adcode ?? "");
}

function Head({ sensor, desk, changed }: { sensor: Sensor; desk: Desk; changed: () => void }) {
  const editing = useSignal(false);
  const task = useTask();
  const admin = may(person.value?.role ?? "", "admin");
  const retire = (retired: boolean): void => void task.run(() =>
    patch(`/v1/sensors/${encodeURIComponent(sensor.sensor_id)}`, { retired }).then(changed));
  const place = sensor.location === null ? n("unplaced") : `${sensor.location.lon.toFixed(5)}, ${sensor.location.lat.toFixed(5)}`;
  return (
    <header class="sensor-head">
      <div>
        <a href={hashOf("sensors")} class="back" data-testid="sensor-back">← {n("back")}</a>
        <h2>{sensor.name || sensor.sensor_id}{sensor.retired && <em class="late"> {n("retired")}</em>}</h2>
        <p>{facts(sensor.sensor_id, named(desk.board.picture.areas.get(sensor.area_id ?? "")) || n("unplaced"), place, n("updated", { at: moment(sensor.updated_at, Date.now()) }))}</p>
        <Readings sensor={sensor} desk={desk} />
      </div>
      {admin && (
        <div class="sheet-tools">
          <Failure error={task.failure.value} />
          <button type="button" class="action" data-testid="sensor-edit" aria-haspopup="dialog" onClick={() => (editing.value = true)}>{s("edit")}</button>
          {sensor.retired
            ? <button type="button" class="plain" onClick={() => retire(false)}>{s("revive")}</button>
            : <Sure id="sensor-retire" label={s("retire")} question={s("retire_sure")} act={() => retire(true)} />}
        </div>
      )}
      {editing.value && <SensorDialog of={sensor} desk={desk} close={() => (editing.value = false)} saved={changed} />}
    </header>
  );
}

interface Bucket {
  count: number;
  bad: number;
}

/** How many readings of the last day came, against how many were due. */
function Quality({ id, metric, desk }: { id: string; metric: string; desk: Desk }) {
  const to = desk.board.now();
  const day = useOne<Answer<Bucket>>((signal) => get("/v1/history", {
    sensor_id: id, metric, points: 24, from: new Date(to - DAY_MS).toISOString(), to: new Date(to).toISOString(),
  }, signal), [id, metric, desk.board.epoch.value]);
  const items = day.value.value?.items;
  if (!items) return null;
  const sum = (pick: (one: Bucket) => number): number => items.reduce((all, one) => all + pick(one), 0);
  const due = Math.round(DAY_MS / 1000 / (desk.board.picture.metrics.get(metric)?.interval_seconds ?? 60));
  const count = sum((one) => one.count), share = `${Math.min(100, Math.round(count / due * 100))} %`;
  return <p class="soft" data-testid="quality">{n("quality_day", { count, due, share, bad: sum((one) => one.bad) })}</p>;
}

function Watchers({ rules, desk }: { rules: readonly ListedRule[]; desk: Desk }) {
  return (
    <section class="card" aria-label={n("rules")}>
      <h3>{n("rules")}</h3>
      {rules.length === 0 && <p class="soft">{n("no_rules")}</p>}
      <ul class="lines">
        {rules.map((rule) => {
          const metric = desk.board.picture.metrics.get(rule.metric);
          return (
            <li key={rule.id}>
              <Shape priority={rule.priority} quiet />
              <a href={hashOf("rules", rule.id)}>{language.value === "zh" ? rule.title.zh : rule.title.en}</a>
              <small>{named(metric)} {condition(rule, metric?.unit ?? "")}</small>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Incidents({ id, desk }: { id: string; desk: Desk }) {
  const found = useOne<Answer<Incident>>((signal) => get("/v1/incidents", { q: id, limit: 8 }, signal), [id, desk.board.incidents.value.length]);
  const items = (found.value.value?.items ?? []).filter((one) => one.subjects.includes(id));
  return (
    <section class="card" aria-label={n("incidents")}>
      <h3>{n("incidents")}</h3>
      {items.length === 0 && <p class="soft">{n("no_incidents")}</p>}
      <ul class="lines">
        {items.map((one) => (
          <li key={one.id}>
            <Shape priority={one.priority} quiet={one.state !== "open"} />
            <a href={hashOf("incidents", one.id)}>{one.title}</a>
            <small>{t(one.state)} · {moment(one.opened_at, desk.board.now())}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Neighbours({ sensor, desk }: { sensor: Sensor; desk: Desk }) {
  const { sensors } = desk.board.picture;
  const near = sensor.location === null ? [] : neighboursOf(sensors, sensor.sensor_id, sensor.location, NEIGHBOURS);
  const away = (metres: number): string => metres < 1000 ? n("away", { n: Math.round(metres) }) : n("away_km", { n: (metres / 1000).toFixed(1) });
  return (
    <section class="card" aria-label={n("neighbours")}>
      <h3>{n("neighbours")}</h3>
      {near.length === 0 && <p class="soft">{n("no_neighbours")}</p>}
      <ul class="lines">
        {near.map((one) => (
          <li key={one.id}>
            <a href={hashOf("sensors", one.id)}>{sensors.name[one.index] || one.id}</a>
            <small>{away(one.metres)} · {heard(one.index, desk)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The newest readings of a sensor of the picture; one word for one that never sent any. */
function heard(sensor: number, desk: Desk): string {
  const { sensors, series, metrics } = desk.board.picture;
  const said = (sensors.series[sensor] ?? []).flatMap((index) => {
    const metric = metrics.get(series.metric[index] ?? "");
    const at = series.observedAt[index] ?? NaN, value = series.value[index] ?? NaN;
    return Number.isNaN(at) ? [] : `${named(metric)} ${+value.toPrecision(3)} ${metric?.unit ?? ""}（${span(desk.board.beat.value - at)}）`;
  });
  return said.length === 0 ? n("never_heard") : said.join(" · ");
}
