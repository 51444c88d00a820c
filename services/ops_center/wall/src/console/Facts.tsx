import { useSignal } from "@preact/signals";

import { named } from "../i18n";
import type { Cause, Incident } from "../live/protocol";
import { facts, number, scaled, span } from "../wall/format";
import type { Desk } from "./desk";
import { moment } from "./moment";
import { known, t } from "./strings";

/** What happened, in figures; then where, since when, until when, and by which rule. */
export function Facts({ incident, desk, opening }: { incident: Incident; desk: Desk; opening: Cause | null }) {
  const { picture } = desk.board;
  const metric = picture.metrics.get(incident.metric ?? "");
  const now = desk.board.beat.value;
  const subject = incident.subjects[0] ?? "";
  return (
    <section class="facts" aria-label={t("facts")}>
      {incident.metric !== null && <div class="figures">
        <Figure name={t(opening?.foreseen ? "expected_value" : "measured")} value={opening?.value ?? incident.value} unit={metric?.unit ?? ""} strong />
        <Figure name={t("threshold")} value={incident.threshold} unit={metric?.unit ?? ""} />
        <Figure name={t("now_value")} value={currentValue(incident, desk)} unit={metric?.unit ?? ""} />
      </div>}
      <dl>
        <Fact name={t("metric")} value={facts(named(metric) || incident.metric, metric && incident.metric)} />
        <Fact name={t("subject")} value={facts(nameOf(subject, desk), subject)} />
        <Fact name={t("area")} value={named(picture.areas.get(incident.area_id ?? "")) || incident.area_id || t("unplaced")} />
        <Fact name={t("opened_at")}
          value={facts(moment(incident.opened_at, now), t("ago", { span: span(now - Date.parse(incident.opened_at)) }))} />
        <Fact name={t("observed_at")} value={moment(incident.observed_at, now)} />
        <Deadline incident={incident} now={now} />
        <Fact name={t("department")} value={incident.department} />
        <Fact name={t("grade")} value={known(`grade_${incident.grade}`)} />
        <Identifier id={incident.id} />
      </dl>
    </section>
  );
}

function Figure({ name, value, unit, strong }: { name: string; value: number | null; unit: string; strong?: boolean }) {
  const [figure, shownUnit] = value === null ? [null, ""] : scaled(value, unit);
  return (
    <div class={strong ? "strong" : ""}>
      <span>{name}</span>
      <b>{number(figure)}<small>{shownUnit}</small></b>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string | null | undefined | false }) {
  if (!value) return null;
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}

function Deadline({ incident, now }: { incident: Incident; now: number }) {
  if (incident.deadline_at === null) return null;
  const left = Date.parse(incident.deadline_at) - now;
  const open = incident.state !== "closed" && incident.state !== "resolved";
  return (
    <div>
      <dt>{t("deadline")}</dt>
      <dd>
        {moment(incident.deadline_at, now)}
        {open && <em class={left < 0 ? "late" : ""}>{t(left < 0 ? "overdue" : "due_in", { span: span(Math.abs(left)) })}</em>}
      </dd>
    </div>
  );
}

function Identifier({ id }: { id: string }) {
  const copied = useSignal(false);
  const copy = (): void =>
    void navigator.clipboard?.writeText(id).then(() => (copied.value = true), () => undefined);
  return (
    <div>
      <dt>{t("number")}</dt>
      <dd><code title={id}>{id.slice(0, 8)}</code>
        <button type="button" class="link-button" onClick={copy}>{t(copied.value ? "copied" : "copy")}</button></dd>
    </div>
  );
}

function nameOf(sensorId: string, desk: Desk): string {
  const { sensors } = desk.board.picture;
  return sensors.name[sensors.indexOf.get(sensorId) ?? -1] ?? "";
}

function currentValue(incident: Incident, desk: Desk): number | null {
  const { sensors, series } = desk.board.picture;
  const sensor = sensors.indexOf.get(incident.subjects[0] ?? "") ?? -1;
  const index = (sensors.series[sensor] ?? []).find((one) => series.metric[one] === incident.metric);
  const value = index === undefined ? NaN : series.value[index] ?? NaN;
  return Number.isNaN(value) ? null : value;
}
