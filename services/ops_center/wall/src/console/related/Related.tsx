import { get } from "../../api";
import { named } from "../../i18n";
import type { Incident, Priority } from "../../live/protocol";
import { facts, minute, span } from "../../wall/format";
import { Shape } from "../../wall/Shape";
import type { Desk } from "../desk";
import { moment } from "../moment";
import { hashOf } from "../route";
import { t } from "../strings";
import { useOne } from "../task";
import { HEIGHT, WIDTH, spark } from "./spark";
import "./related.css";
import { x } from "./texts";

interface Own {
  sensor_id: string;
  metric: string;
  since: string | null;
  values: (number | null)[];
}

interface Moved extends Own {
  name: string;
  tie: "upstream" | "downstream" | "same_sensor" | "area";
  r: number;
  lag_seconds: number;
  against: "yesterday" | "itself";
}

interface Earlier {
  id: string;
  title: string;
  state: Incident["state"];
  priority: Priority;
  alike: ("sensor" | "rule" | "area" | "category" | "domain")[];
  opened_at: string;
  cleared_at: string | null;
  took_seconds: number | null;
  note: string;
}

interface Answer {
  own: Own | null;
  start: string | null;
  step_seconds: number | null;
  compared: number;
  nothing: "no_series" | "too_little" | null;
  series: Moved[];
  incidents: Earlier[];
}

const ANEW_MS = 600_000;

/** Series whose course follows the incident's, and past incidents like it. */
export function Related({ incident, desk }: { incident: Incident; desk: Desk }) {
  const fresh = incident.state === "closed" ? 0 : Math.floor(desk.board.now() / ANEW_MS);
  const found = useOne<Answer>((signal) => get(`/v1/incidents/${incident.id}/related`, {}, signal), [incident.id, fresh]).value.value;
  if (found === null) return <p class="soft related-wait">{x("loading")}</p>;
  return (
    <section class="related" aria-labelledby="related-title" data-testid="related">
      <h3 id="related-title">{x("title")}</h3>
      <Series found={found} incident={incident} desk={desk} />
      <h3>{x("before")}</h3>
      {found.incidents.length === 0 && <p class="soft">{x("no_before")}</p>}
      <ul class="precedents">{found.incidents.map((one) => <Precedent key={one.id} one={one} desk={desk} />)}</ul>
    </section>
  );
}

function Series({ found, incident, desk }: { found: Answer; incident: Incident; desk: Desk }) {
  if (found.nothing !== null || found.own === null) return <p class="soft">{x(found.nothing ?? "no_series")}</p>;
  if (found.series.length === 0) return <p class="soft">{x("none", { n: found.compared })}</p>;
  const opened = place(found, Date.parse(incident.observed_at));
  return (
    <>
      <ul class="companions">
        <li class="own">
          <Line values={found.own.values} opened={opened} />
          <Name sensor={found.own.sensor_id} metric={found.own.metric} desk={desk} />
          <small>{sinceOf(found.own)}</small>
        </li>
        {found.series.map((one) => (
          <li key={`${one.sensor_id} ${one.metric}`} data-testid="companion">
            <Line values={one.values} opened={opened} />
            <Name sensor={one.sensor_id} metric={one.metric} desk={desk} />
            <small title={one.against === "yesterday" ? x("yesterday") : undefined}>
              {facts(`${x(one.r > 0 ? "along" : "against")} r = ${one.r.toFixed(2)}`, lagOf(one.lag_seconds), sinceOf(one), x(one.tie))}
            </small>
          </li>
        ))}
      </ul>
      <p class="soft">{x("compared", { n: found.compared })}</p>
    </>
  );
}

/** Where a moment lies in the window, 0–1. */
function place({ start, step_seconds: step, own }: Answer, at: number): number {
  const length = (step ?? 1) * 1000 * Math.max(1, (own?.values.length ?? 1) - 1);
  return Math.min(1, Math.max(0, (at - Date.parse(start ?? "")) / length));
}

function Line({ values, opened }: { values: readonly (number | null)[]; opened: number }) {
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path class="opened" d={`M${(opened * WIDTH).toFixed(1)} 0V${HEIGHT}`} />
      <path d={spark(values)} />
    </svg>
  );
}

function Name({ sensor, metric, desk }: { sensor: string; metric: string; desk: Desk }) {
  const { sensors, metrics } = desk.board.picture;
  return (
    <span class="which">
      <a href={hashOf("sensors", sensor)}>{sensors.name[sensors.indexOf.get(sensor) ?? -1] || sensor}</a> {named(metrics.get(metric)) || metric}
    </span>
  );
}

function lagOf(seconds: number): string {
  if (seconds === 0) return x("at_once");
  return x(seconds < 0 ? "sooner" : "later", { span: span(Math.abs(seconds) * 1000) });
}

function sinceOf({ since }: Own): string {
  return since === null ? "" : x("since", { at: minute(Date.parse(since)) });
}

function Precedent({ one, desk }: { one: Earlier; desk: Desk }) {
  const opened = Date.parse(one.opened_at);
  const ended = one.took_seconds !== null ? x("took", { span: span(one.took_seconds * 1000) })
    : one.cleared_at !== null ? x("cleared_in", { span: span(Date.parse(one.cleared_at) - opened) }) : x("unfinished");
  return (
    <li data-testid="precedent">
      <Shape priority={one.priority} quiet={one.state !== "open"} />
      <a href={hashOf("incidents", one.id)}>{one.title}</a>
      <small>{facts(moment(one.opened_at, desk.board.now()).slice(0, -3), t(one.state), ended, one.alike.slice(0, 3).map((how) => x(`like_${how}`)).join(" · "))}</small>
      {one.note && <q>{one.note}</q>}
    </li>
  );
}
