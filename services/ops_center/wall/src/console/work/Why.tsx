import { get } from "../../api";
import { language, named } from "../../i18n";
import type { Cause, Incident, Metric } from "../../live/protocol";
import { facts, number, scaled, unitName } from "../../wall/format";
import { condition } from "../condition";
import type { Desk } from "../desk";
import { exactSpan, moment } from "../moment";
import type { Answer } from "../paging";
import { said } from "../reference";
import { hashOf } from "../route";
import type { Rule } from "../rule";
import { seconds } from "../span";
import { useOne } from "../task";
import { w } from "./texts";

export interface Alert {
  alert_id: string;
  subject: string;
  metric: string | null;
  state: string;
  started_at: string;
  raised_at: string;
  cleared_at: string | null;
  value: number | null;
  peak: number | null;
  threshold: number | null;
}

/** The rule in words, the reading that broke it, and every alert that is in the incident. */
export function Why({ incident, desk, opening }: { incident: Incident; desk: Desk; opening: Cause | null }) {
  const { id, rule_id: ruleId, rule_version: version } = incident;
  const rule = useOne<Rule | null>((signal) => ofVersion(ruleId, version, signal), [ruleId, version]);
  const alerts = useOne<Answer<Alert>>((signal) => get(`/v1/incidents/${id}/alerts`, { limit: 50 }, signal), [id, incident.members, incident.alert_state]);
  const found = alerts.value.value?.items ?? [];
  const first = [...found].sort((a, b) => Date.parse(a.raised_at) - Date.parse(b.raised_at))[0];
  return (
    <section class="why" aria-labelledby="why-title" data-testid="why">
      <h3 id="why-title">{w("why")}</h3>
      {ruleId === null && <p>{w(incident.kind === "flood" ? "why_flood" : "why_person")}</p>}
      {rule.value.value && <InWords rule={rule.value.value} desk={desk} />}
      {opening?.foreseen && <p data-testid="why-foreseen"><b>{opening.foreseen[language.value]}</b></p>}
      {opening && opening.value !== null && !opening.foreseen && (
        <p data-testid="why-reading">{w("why_reading", { at: moment(opening.observed_at, desk.board.now()),
          value: figure(opening.value, desk.board.picture.metrics.get(opening.metric ?? "")), limit: first?.threshold ?? incident.threshold ?? "—" })}</p>
      )}
      {first && <Reading alert={first} desk={desk} />}
      {found.length > 1 && <Alerts alerts={found} desk={desk} />}
      {rule.value.value?.document.runbook && <p><b>{w("runbook")}</b> {rule.value.value.document.runbook}</p>}
    </section>
  );
}

/** The version that raised it, which need not be the one in force. */
async function ofVersion(ruleId: string | null, version: number | null, signal: AbortSignal): Promise<Rule | null> {
  if (ruleId === null) return null;
  const path = `/v1/rules/${encodeURIComponent(ruleId)}`;
  const standing = await get<Rule>(path, {}, signal);
  if (standing.version === version) return standing;
  const all = await get<Answer<Rule>>(`${path}/versions`, { limit: 100 }, signal);
  return all.items.find((one) => one.version === version) ?? standing;
}

function InWords({ rule, desk }: { rule: Rule; desk: Desk }) {
  const { document } = rule;
  const metric = desk.board.picture.metrics.get(document.metric);
  const lasting = seconds(document.for);
  return (
    <p class="why-rule">
      <a href={hashOf("rules", rule.id)} data-testid="why-rule">{w("why_rule", { title: said(document.title), n: rule.version })}</a>
      <span>{facts(`${named(metric) || document.metric} ${condition(document, unitName(metric?.unit ?? ""))}`,
        lasting > 0 ? w("why_for", { span: exactSpan(lasting) }) : w("why_at_once"))}</span>
    </p>
  );
}

function Reading({ alert, desk }: { alert: Alert; desk: Desk }) {
  const now = desk.board.now();
  const metric = desk.board.picture.metrics.get(alert.metric ?? "");
  const peak = alert.peak !== null && alert.peak !== alert.value ? w("why_peak", { value: figure(alert.peak, metric) }) : "";
  const since = w("why_since", { at: moment(alert.started_at, now) });
  return (
    <p class="why-reading">
      <a href={hashOf("sensors", alert.subject)}>{nameOf(alert.subject, desk)}</a>
      <span>{facts(since, peak, alert.cleared_at ? w("cleared_at", { at: moment(alert.cleared_at, now) }) : w("still"))}</span>
    </p>
  );
}

function Alerts({ alerts, desk }: { alerts: readonly Alert[]; desk: Desk }) {
  const now = desk.board.now();
  return (
    <details class="why-alerts">
      <summary>{w("alerts_n", { n: alerts.length })}</summary>
      <ul>
        {alerts.map((alert) => (
          <li key={alert.alert_id}>
            <a href={hashOf("sensors", alert.subject)}>{nameOf(alert.subject, desk)}</a>
            <span>{figure(alert.peak, desk.board.picture.metrics.get(alert.metric ?? ""))}</span>
            <span>{alert.cleared_at ? w("cleared_at", { at: moment(alert.cleared_at, now) }) : w("still")}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function figure(value: number | null, metric: Metric | undefined): string {
  if (value === null) return "—";
  const [size, unit] = scaled(value, metric?.unit ?? "");
  return `${number(size)} ${unit}`.trim();
}

function nameOf(subject: string, desk: Desk): string {
  const { sensors, areas } = desk.board.picture;
  return sensors.name[sensors.indexOf.get(subject) ?? -1] || named(areas.get(subject)) || subject;
}
