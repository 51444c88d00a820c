import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { download, get } from "../api";
import { named } from "../i18n";
import { person } from "../login/session";
import { may } from "./commands";
import type { Desk } from "./desk";
import { p } from "./page-texts";
import { useMore } from "./paging";
import { Readings } from "./Readings";
import { keep } from "./keep";
import { hashOf, route, show } from "./route";
import type { Sensor } from "./sensor";
import { SensorPage } from "./SensorPage";
import { ImportDialog } from "./setup/ImportDialog";
import { SensorDialog } from "./setup/SensorDialog";
import { s } from "./setup/texts";
import { ListEnd, Refresh, Sheet } from "./Sheet";

const PAGE = 100;
const TYPING_MS = 250;

/** The registry, or one of its sensors. */
export function Sensors({ desk }: { desk: Desk }) {
  const { item } = route.value;
  return item === null ? <Registry desk={desk} /> : <SensorPage key={item} id={item} desk={desk} />;
}

/** Searched by the server; readings and states come from the live picture. */
function Registry({ desk }: { desk: Desk }) {
  const dialog = useSignal<"add" | "import" | null>(null);
  const admin = may(person.value?.role ?? "", "admin");
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
      <input type="search" data-search data-testid="sensor-search" aria-label={p("sensor_search")} placeholder={p("sensor_search")}
        value={q.value} onInput={(event) => (q.value = event.currentTarget.value)} />
      <select aria-label={p("area")} value={area.value} onChange={(event) => (area.value = event.currentTarget.value)}>
        <option value="">{p("every_area")}</option>
        {areas.map((one) => <option key={one.area_id} value={one.area_id}>{named(one)}</option>)}
      </select>
      <select aria-label={p("metric")} value={metric.value} onChange={(event) => (metric.value = event.currentTarget.value)}>
        <option value="">{p("every_metric")}</option>
        {metrics.map((one) => <option key={one.metric} value={one.metric}>{named(one)}</option>)}
      </select>
      {admin && (
        <>
          <button type="button" class="action usual" data-testid="sensor-add" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (dialog.value = "add")}>{s("sensor_new")}</button>
          <button type="button" class="plain" data-testid="sensor-import" aria-haspopup="dialog" onClick={() => (dialog.value = "import")}>{s("sensor_import")}</button>
        </>
      )}
      <button type="button" class="plain" onClick={() => void save(area.value, metric.value)}>{s("sensor_export")}</button>
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
              <td><a href={hashOf("sensors", sensor.sensor_id)}><code>{sensor.sensor_id}</code></a></td>
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
      {dialog.value === "add" && (
        <SensorDialog of={null} desk={desk} close={() => (dialog.value = null)} saved={(made) => show("sensors", made.sensor_id)} />
      )}
      {dialog.value === "import" && <ImportDialog close={() => (dialog.value = null)} done={() => list.reload()} />}
    </Sheet>
  );
}

/** What is listed, as a file. */
async function save(area: string, metric: string): Promise<void> {
  const query = new URLSearchParams();
  if (area) query.set("area_id", area);
  if (metric) query.set("metric", metric);
  keep(await download(`/v1/sensors/export?${query}`, "text/csv"), "sensors.csv");
}
