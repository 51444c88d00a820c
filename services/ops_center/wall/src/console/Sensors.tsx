import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import { named } from "../i18n";
import { STATES, State, type Priority } from "../live/protocol";
import { number, scaled, span } from "../wall/format";
import { Shape } from "../wall/Shape";
import type { Desk } from "./desk";
import { knownPage, p } from "./page-texts";
import { useMore } from "./paging";
import { ListEnd, Refresh, Sheet } from "./Sheet";

const PAGE = 100;
const TYPING_MS = 250;

interface Sensor {
  sensor_id: string;
  name: string;
  metrics: string[];
  location: { lon: number; lat: number } | null;
  area_id: string | null;
  retired: boolean;
}

/** The registry, searched by the server; readings and states come from the live picture. */
export function Sensors({ desk }: { desk: Desk }) {
  const q = useSignal(""), area = useSignal(""), metric = useSignal("");
  const list = useMore<Sensor>((cursor, signal) => get("/v1/sensors", {
    q: q.value.trim() || null, area_id: area.value || null, metric: metric.value || null, limit: PAGE, cursor,
  }, signal));
  useEffect(() => {
    const timer = setTimeout(() => list.reload(), TYPING_MS);
    return () => clearTimeout(timer);
  }, [q.value, area.value, metric.value]);
  const { picture, epoch } = desk.board;
  const areas = epoch.value > 0 ? [...picture.areas.values()] : [];
  const metrics = epoch.value > 0 ? [...picture.metrics.values()] : [];
  const tools = (
    <>
      <input type="search" data-testid="sensor-search" aria-label={p("sensor_search")} placeholder={p("sensor_search")}
        value={q.value} onInput={(event) => (q.value = event.currentTarget.value)} />
      <select aria-label={p("area")} value={area.value} onChange={(event) => (area.value = event.currentTarget.value)}>
        <option value="">{p("every_area")}</option>
        {areas.map((one) => <option key={one.area_id} value={one.area_id}>{named(one)}</option>)}
      </select>
      <select aria-label={p("metric")} value={metric.value} onChange={(event) => (metric.value = event.currentTarget.value)}>
        <option value="">{p("every_metric")}</option>
        {metrics.map((one) => <option key={one.metric} value={one.metric}>{named(one)}</option>)}
      </select>
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="sensors" title={p("sensors")} more={p("sensors_more")} tools={tools}>
      <table class="sensors">
        <thead><tr><th>{p("id")}</th><th>{p("name")}</th><th>{p("area")}</th><th>{p("readings")}</th><th>{p("place")}</th></tr></thead>
        <tbody>
          {list.items.value.map((sensor) => (
            <tr key={sensor.sensor_id} data-testid={`sensor-${sensor.sensor_id}`}>
              <td><code>{sensor.sensor_id}</code></td>
              <td>{sensor.name || "—"}{sensor.retired && <em> {p("retired")}</em>}</td>
              <td>{named(picture.areas.get(sensor.area_id ?? "")) || p("unplaced")}</td>
              <td><Readings sensor={sensor} desk={desk} /></td>
              <td class="figures-cell">{sensor.location === null ? "—"
                : `${sensor.location.lon.toFixed(4)}, ${sensor.location.lat.toFixed(4)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none={p("nothing")} />
    </Sheet>
  );
}

/** Redrawn once a second by itself; the table around it is not. */
function Readings({ sensor, desk }: { sensor: Sensor; desk: Desk }) {
  const now = desk.board.beat.value;
  const { sensors, series, metrics } = desk.board.picture;
  const own = sensors.series[sensors.indexOf.get(sensor.sensor_id) ?? -1] ?? [];
  return (
    <ul class="readings">
      {sensor.metrics.map((code) => {
        const index = own.find((one) => series.metric[one] === code);
        const rank = index === undefined ? State.never : series.state[index] ?? State.never;
        const metric = metrics.get(code);
        const [figure, unit] = scaled(index === undefined ? NaN : series.value[index] ?? NaN, metric?.unit ?? "");
        const at = index === undefined ? NaN : series.observedAt[index] ?? NaN;
        return (
          <li key={code} class={`reading ${STATES[rank]}`}>
            {rank >= State.p4 && <Shape priority={(State.p1 - rank + 1) as Priority} />}
            <span>{named(metric) || code}</span>
            <b>{number(figure)} <small>{unit}</small></b>
            <i>{rank === State.normal ? span(now - at) : knownPage(`state_${STATES[rank]}`)}</i>
          </li>
        );
      })}
    </ul>
  );
}
