import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";

import { get } from "../api";
import { named } from "../i18n";
import { State, type Incident, type IncidentState } from "../live/protocol";
import { further, partsOf } from "../live/reducer";
import { PRIORITIES } from "../map/markers";
import type { Board } from "./board";
import { cursor } from "./chosen";
import { Flooded, floodCounts } from "./Flooded";
import type { Flood } from "./flood";
import { facts, number, span, unitName } from "./format";
import { Neighbours } from "./Neighbours";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { t } from "./texts";

export const SHOWN = 10;
const PARTS_SHOWN = 6;
const PARTS_UNTIL = 4; // rows: with more of them there is no room for their parts
const RECENT_SHOWN = 5;
const RECENT_UNTIL = 5;
const STEPS: readonly Exclude<IncidentState, "closed">[] = [
  "open", "acknowledged", "dispatched", "handling", "resolved",
];

/** At most ten incidents, the most urgent first; the rest as a number. In a flood, groups of them. */
export function Incidents({ board, show, flood }: { board: Board; show: Show; flood: Flood }) {
  const all = show.top.value;
  const title = flood.on ? t("flood_groups", floodCounts(show.open.value)) : t("open_total", { n: all.length });
  return (
    <section class="incidents" aria-label={t("incidents")}>
      <h2>{t("incidents")}<small>{all.length > 0 && title}</small></h2>
      <Steps incidents={all} />
      {all.length === 0 && <Calm board={board} show={show} />}
      {flood.on ? <Flooded board={board} open={show.open.value} flood={flood} /> : <Listed board={board} all={all} />}
      {all.length <= RECENT_UNTIL && board.reel === null && <Recent board={board} show={show} />}
      <Neighbours board={board} />
    </section>
  );
}

function Listed({ board, all }: { board: Board; all: Incident[] }) {
  if (all.length === 0) return null;
  return (
    <>
      <ol>
        {all.slice(0, SHOWN).map((incident) => (
          <Fragment key={incident.id}>
            <Row incident={incident} board={board} />
            {all.length <= PARTS_UNTIL && <Parts whole={incident} board={board} />}
          </Fragment>
        ))}
      </ol>
      {all.length > SHOWN && <Others incidents={all.slice(SHOWN)} />}
    </>
  );
}

/** Where the open incidents stand in the closed loop. */
function Steps({ incidents }: { incidents: Incident[] }) {
  return (
    <ul class="steps">
      {STEPS.map((step) => {
        const count = incidents.filter((incident) => incident.state === step).length;
        return <li key={step} class={count === 0 ? "none" : ""}><b>{count}</b><span>{t(`step_${step}`)}</span></li>;
      })}
    </ul>
  );
}

export function Row({ incident, board }: { incident: Incident; board: Board }) {
  const { picture, selection, beat } = board;
  const fresh = board.fresh.value.has(incident.id) && incident.state === "open";
  const chosen = cursor.value === incident.id
    || (selection.value?.kind === "incident" && selection.value.id === incident.id);
  const waiting = incident.state === "open";
  const cleared = incident.alert_state === "cleared" && t("cleared");
  const quiet = incident.suppressed != null && t("suppressed");
  const flapping = incident.flapping && t("flapping");
  const area = named(picture.areas.get(incident.area_id ?? ""));
  const place = !incident.title.includes(area) && area;
  return (
    <li>
      <button type="button" data-testid={`incident-${incident.id}`} data-state={incident.state}
        class={`incident p${incident.priority} ${waiting ? "waiting" : ""} ${fresh ? "fresh" : ""} ${chosen ? "chosen" : ""} ${incident.kind}`}
        onClick={() => (selection.value = { kind: "incident", id: incident.id })}>
        <Shape priority={incident.priority} quiet={!waiting} />
        <span class="incident-title">{incident.title}<Members incident={incident} /></span>
        <span class="incident-age">{span(beat.value - Date.parse(incident.opened_at))}</span>
        <span class="incident-facts">
          {facts(incident.kind === "flood" && t("members_n", { n: incident.members }), cleared, quiet, flapping, place, measured(incident, board), limit(incident), incident.department)}
        </span>
        <Stage incident={incident} now={beat.value} />
      </button>
    </li>
  );
}

/** What a flood is made of, in a line each. */
function Parts({ whole, board }: { whole: Incident; board: Board }) {
  const parts = partsOf(whole, board.incidents.value);
  const more = parts.length - PARTS_SHOWN;
  return (
    <>
      {parts.slice(0, PARTS_SHOWN).map((part) => (
        <li key={part.id} class="part">
          <button type="button" data-testid={`part-${part.id}`}
            onClick={() => (board.selection.value = { kind: "incident", id: part.id })}>
            <Shape priority={part.priority} quiet={part.state !== "open"} />
            <span>{part.title}<Members incident={part} /></span>
            <small>{t(part.state)}</small>
          </button>
        </li>
      ))}
      {more > 0 && <li class="part rest">+{more} {t("others")}</li>}
    </>
  );
}

/** `+12`: how many more have gathered in it. */
export function Members({ incident }: { incident: Incident }) {
  const more = further(incident);
  return more > 0 ? <b class="members" title={t("members_n", { n: incident.members })}>+{more}</b> : null;
}

function Stage({ incident, now }: { incident: Incident; now: number }) {
  const late = incident.deadline_at === null ? 0 : now - Date.parse(incident.deadline_at);
  if (late > 0) return <span class="incident-state late">{t("overdue", { span: span(late) })}</span>;
  return <span class="incident-state">{t(incident.state)}</span>;
}

/** The value that broke the rule, in the metric's unit. */
export function measured(incident: Incident, board: Board): string {
  if (incident.value === null) return "";
  const unit = board.picture.metrics.get(incident.metric ?? "")?.unit ?? "";
  return `${number(incident.value)} ${unitName(unit)}`.trim();
}

export function limit(incident: Incident): string {
  return incident.threshold === null ? "" : `${t("threshold")} ${incident.threshold}`;
}

export function Others({ incidents }: { incidents: Incident[] }) {
  return (
    <div class="others">
      <b>+{incidents.length}</b> {t("others")}
      <span>
        {PRIORITIES.map((priority) => {
          const count = incidents.filter((incident) => incident.priority === priority).length;
          return count > 0 && <em key={priority}><Shape priority={priority} quiet />{count}</em>;
        })}
      </span>
    </div>
  );
}

/** Silence is no sign of health: what nobody can know is not called normal. */
function Calm({ board, show }: { board: Board; show: Show }) {
  void board.beat.value;
  const { areaId, state } = board.picture.sensors;
  let silent = 0;
  state.forEach((rank, sensor) => rank === State.stale && show.covers(areaId[sensor] ?? null) && (silent += 1));
  const more = board.adrift.value ? t("calm_cut") : silent > 0 ? t("calm_unknown", { n: silent }) : t("calm_more");
  return <div class="calm"><b>{t("calm")}</b><span>{more}</span></div>;
}

/** What was closed last, while there is room for it. */
function Recent({ board, show }: { board: Board; show: Show }) {
  const [closed, setClosed] = useState<Incident[]>([]);
  const open = show.top.value.length;
  useEffect(() => {
    const query = { state: "closed", top: "true", limit: RECENT_SHOWN };
    get<{ items: Incident[] }>("/v1/incidents", query)
      .then(({ items }) => setClosed(items.slice(0, RECENT_SHOWN)))
      .catch(() => undefined); // A wall without this list is still a wall.
  }, [open, board.epoch.value]);
  if (closed.length === 0) return null;
  return (
    <div class="recent">
      <h3>{t("recent")}</h3>
      {closed.map((incident) => (
        <div key={incident.id}>
          <span>{incident.title}</span>
          <small>{t("closed_ago", { span: span(board.beat.value - Date.parse(incident.updated_at)) })}</small>
        </div>
      ))}
    </div>
  );
}
