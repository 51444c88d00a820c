import { named } from "../i18n";
import { person } from "../login/session";
import type { Incident } from "../live/protocol";
import { limit, measured, Members } from "../wall/Incidents";
import { facts, span } from "../wall/format";
import { Shape } from "../wall/Shape";
import { mayAct } from "./commands";
import type { Desk } from "./desk";
import { t } from "./strings";
import { w } from "./work/texts";

/** One incident of the queue. What waits for a person has a filled shape and its own button. */
export function Row({ incident, desk }: { incident: Incident; desk: Desk }) {
  const { id, priority, state } = incident;
  const chosen = desk.selected.value === id;
  const busy = desk.guesses.value.has(id);
  const waits = state === "open";
  return (
    <li class={`row p${priority} ${chosen ? "chosen" : ""} ${desk.marked.value.has(id) ? "marked" : ""} ${waits ? "waiting" : ""} ${incident.kind} ${incident.parent_id == null ? "" : "part"}`} data-row={id} aria-busy={busy}>
      {mayAct(person.value?.role ?? "") && state !== "closed" && (
        <input type="checkbox" class="row-mark" data-testid={`mark-${id}`} checked={desk.marked.value.has(id)}
          aria-label={w("mark", { title: incident.title })} onChange={() => desk.mark(id)} />
      )}
      <button type="button" class="row-main" data-testid={`incident-${id}`} data-state={state}
        data-alert={incident.alert_state} aria-current={chosen ? "true" : undefined}
        onClick={() => desk.select(id)}>
        <span class="unseen">{t(`p${priority}`)}</span>
        <Shape priority={priority} quiet={!waits} />
        <span class="row-line">
          <span class="row-title">{incident.title}<Members incident={incident} /></span>
          <Age at={incident.opened_at} desk={desk} />
        </span>
        <span class="row-line">
          <span class="row-facts">{facts(...newsOf(incident, desk))}</span>
          <span class="row-state">
            {incident.suppressed != null && <em>{t("suppressed")}</em>}
            {incident.flapping && <em>{t("flapping")}</em>}
            {incident.alert_state === "cleared" && state !== "closed" && <em>{t("cleared")}</em>}
            <Lateness incident={incident} desk={desk} />
            <b class={`state ${state}`}>{t(state)}</b>
          </span>
        </span>
      </button>
      {waits && mayAct(person.value?.role ?? "") && (
        <button type="button" class="row-act" disabled={busy} data-testid={`row-acknowledge-${id}`}
          aria-label={`${t("acknowledge")} ${incident.title}`}
          onClick={() => void desk.run(id, "acknowledge", { note: "" })}>{t("acknowledge")}</button>
      )}
    </li>
  );
}

/** On its own, so that the passing of time redraws nothing else. */
function Age({ at, desk }: { at: string; desk: Desk }) {
  return <span class="row-age">{span(desk.board.beat.value - Date.parse(at))}</span>;
}

function Lateness({ incident, desk }: { incident: Incident; desk: Desk }) {
  if (incident.deadline_at === null || incident.state === "closed") return null;
  const late = desk.board.beat.value - Date.parse(incident.deadline_at);
  return late > 0 ? <em class="late">{t("overdue", { span: span(late) })}</em> : null;
}

/** What the title does not say already: place, figures, who has it. */
function newsOf(incident: Incident, desk: Desk): string[] {
  const { areas, sensors } = desk.board.picture;
  const subject = incident.subjects[0] ?? "";
  const area = named(areas.get(incident.area_id ?? ""));
  const name = sensors.name[sensors.indexOf.get(subject) ?? -1] || subject;
  const unsaid = [area, name].filter((text) => text !== "" && !incident.title.includes(text));
  const owner = incident.state === "open" ? "" : incident.department ?? "";
  if (incident.kind === "flood") return [t("members_n", { n: incident.members }), owner];
  return [...unsaid, measured(incident, desk.board), limit(incident), owner];
}
