import { useEffect, useState } from "preact/hooks";

import { get } from "../api";
import { language, named } from "../i18n";
import { STATES, State, type Cause, type Incident, type Priority } from "../live/protocol";
import { caseAddress } from "./address";
import type { Board } from "./board";
import { Chart } from "./Chart";
import { facts, minute, number, scaled, span } from "./format";
import { history } from "./history";
import { limit, measured } from "./Incidents";
import { useScale } from "./scale";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { SignCard } from "./Signs";
import { known, t } from "./texts";
import { longestStep, type Point } from "./trends";
import { unusual } from "./unusual";

const CLOSE_AFTER_MS = 60_000;
const HISTORY_MS = 6 * 3600_000;
const POINTS = 240;

/** A small card about the chosen sensor, incident or vital sign; it leaves by itself after a minute. */
export function Detail({ board, show }: { board: Board; show: Show }) {
  const selection = board.selection.value;
  useEffect(() => {
    if (selection === null) return;
    const close = (): void => void (board.selection.value = null);
    const timer = setTimeout(close, CLOSE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [selection]);
  if (selection === null) return null;
  const incident = selection.kind === "incident" ? board.picture.incidents.get(selection.id) : undefined;
  if (selection.kind === "incident" && !incident) return null;
  const sensorId = selection.kind === "sensor" ? selection.id : incident?.subjects[0] ?? null;
  return (
    <aside class="detail">
      <button type="button" class="close" aria-label={t("close")}
        onClick={() => (board.selection.value = null)}>×</button>
      {selection.kind === "sign" && <SignCard domain={selection.id} board={board} area={show.view.value?.area_id ?? null} />}
      {incident && <IncidentPart incident={incident} board={board} />}
      {sensorId !== null && <SensorPart id={sensorId} metric={incident?.metric ?? null} board={board} />}
      {incident && <Timeline incident={incident} until={board.reel?.at.value ?? Infinity} />}
      {incident && board.reel === null && <a class="case" href={caseAddress(incident.id)}>{t("case")}</a>}
    </aside>
  );
}

function IncidentPart({ incident, board }: { incident: Incident; board: Board }) {
  const now = board.beat.value;
  const age = span(now - Date.parse(incident.opened_at));
  return (
    <header>
      <h3><Shape priority={incident.priority} />{incident.title}</h3>
      <dl>
        <dt>{t("opened")}</dt>
        <dd>{facts(minute(Date.parse(incident.opened_at)), t("observed", { span: age }))}</dd>
        <dt>{t(incident.state)}</dt>
        <dd>{facts(measured(incident, board), limit(incident), incident.department)}</dd>
      </dl>
    </header>
  );
}

interface Step {
  type: string;
  at: string;
  actor: string;
  note: string;
  cause?: Cause | null;
}

/** `until`: what came later has not happened yet. */
function Timeline({ incident, until }: { incident: Incident; until: number }) {
  const [steps, setSteps] = useState<Step[]>([]);
  useEffect(() => {
    get<{ timeline?: Step[] }>(`/v1/incidents/${incident.id}`)
      .then((answer) => setSteps(answer.timeline ?? []))
      .catch(() => setSteps([]));
  }, [incident.id, incident.version]);
  const past = steps.filter((step) => Date.parse(step.at) <= until);
  if (past.length === 0) return null;
  return (
    <footer>
      <h4>{t("timeline")}</h4>
      <ol>
        {past.map((step) => (
          <li key={step.at + step.type}>
            <time>{minute(Date.parse(step.at))}</time>
            <b>{known(step.type)}</b>
            <span>{facts(known(step.actor), step.note, step.cause?.foreseen?.[language.value], step.cause?.unusual && unusual(step.cause.unusual))}</span>
          </li>
        ))}
      </ol>
    </footer>
  );
}

/** Every series of a sensor, and the past of one of them. */
function SensorPart({ id, metric, board }: { id: string; metric: string | null; board: Board }) {
  const { picture } = board;
  const [chosen, choose] = useState<string | null>(null);
  const now = board.beat.value;
  const sensor = picture.sensors.indexOf.get(id);
  useEffect(() => choose(null), [id]);
  if (sensor === undefined) return <p class="faint">{facts(id, t("unplaced"))}</p>;
  const all = picture.sensors.series[sensor] ?? [];
  const codes = all.map((index) => picture.series.metric[index] as string);
  const shown = chosen ?? metric ?? codes[0] ?? null;
  const area = named(picture.areas.get(picture.sensors.areaId[sensor] ?? ""));
  return (
    <>
      <p class="where">
        <b>{picture.sensors.name[sensor] || id}</b>
        <span>{facts(area, id)}</span>
      </p>
      <ul class="readings">
        {all.map((index, place) => (
          <li key={index}>
            <button type="button" class={codes[place] === shown ? "shown" : ""}
              onClick={() => choose(codes[place] as string)}>
              <Reading board={board} index={index} now={now} />
            </button>
          </li>
        ))}
      </ul>
      {shown !== null && <Past board={board} id={id} metric={shown} />}
    </>
  );
}

function Reading({ board, index, now }: { board: Board; index: number; now: number }) {
  const { metrics, series } = board.picture;
  const metric = metrics.get(series.metric[index] as string);
  const rank = series.state[index] ?? State.never;
  const [figure, unit] = scaled(series.value[index] as number, metric?.unit ?? "");
  const priority = rank >= State.p4 ? ((State.p1 - rank + 1) as Priority) : null;
  return (
    <>
      <span>{priority !== null && <Shape priority={priority} />}{named(metric)}</span>
      <b>{number(figure)} <small>{unit}</small></b>
      <i>{rank === State.normal || priority !== null
        ? t("observed", { span: span(now - (series.observedAt[index] as number)) })
        : known(STATES[rank] as string)}</i>
    </>
  );
}

function Past({ board, id, metric }: { board: Board; id: string; metric: string }) {
  const [points, setPoints] = useState<Point[]>([]);
  const [stamp, setStamp] = useState(0);
  const scale = useScale();
  const [range, setRange] = useState<[number, number]>([0, 1]);
  useEffect(() => {
    const now = board.now();
    let wanted = true;
    setPoints([]);
    history(id, metric, now - HISTORY_MS, now, POINTS).catch(() => []).then((past) => {
      if (!wanted) return;
      setPoints(past);
      setRange([Math.max(now - HISTORY_MS, past[0]?.at ?? 0), now]);
      setStamp((stamp) => stamp + 1);
    });
    return () => void (wanted = false);
  }, [id, metric]);
  if (points.length < 2) return <p class="faint">{t("history_none")}</p>;
  const kind = board.picture.metrics.get(metric);
  const incident = board.incidents.value.find((one) => one.metric === metric && one.subjects.includes(id));
  return (
    <Chart stamp={stamp} scale={scale} data={{
      at: points.map((point) => point.at), value: points.map((point) => point.value), range,
      longest: longestStep(kind?.interval_seconds, HISTORY_MS / POINTS),
      normal: [kind?.normal_low ?? null, kind?.normal_high ?? null],
      threshold: incident?.threshold ?? null,
    }} />
  );
}
