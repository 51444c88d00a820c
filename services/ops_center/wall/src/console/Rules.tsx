import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import { language, named } from "../i18n";
import type { Priority } from "../live/protocol";
import { person } from "../login/session";
import { unitName } from "../wall/format";
import { Shape } from "../wall/Shape";
import { condition, type Condition } from "./condition";
import { may } from "./commands";
import type { Desk } from "./desk";
import { exactSpan } from "./moment";
import { p } from "./page-texts";
import { hashOf, route, show } from "./route";
import { RuleDialog } from "./rules/RuleDialog";
import { r } from "./rules/texts";
import { ListEnd, Refresh, Sheet } from "./Sheet";
import { useMore, type Answer } from "./paging";
import { known } from "./strings";

export interface ListedRule extends Condition {
  id: string;
  version: number;
  title: { zh: string; en: string };
  metric: string;
  deadband: number;
  for_seconds: number;
  grade: number;
  priority: Priority;
  department: string | null;
  deadline_seconds: number | null;
  sensors: string[];
  areas: string[];
  enabled: boolean;
}

interface RuleError {
  file: string;
  line: number;
  detail: string;
}

/** The rules in force, and those that were refused. */
export function Rules({ desk }: { desk: Desk }) {
  const errors = useSignal<RuleError[]>([]);
  const list = useMore<ListedRule>(async (cursor, signal) => {
    const answer = await get<Answer<ListedRule> & { errors?: RuleError[] }>("/v1/rules", { cursor }, signal);
    errors.value = answer.errors ?? [];
    return answer;
  });
  useEffect(() => list.reload(), []);
  const making = useSignal(false);
  const admin = may(person.value?.role ?? "", "admin");
  const { item } = route.value;
  const tools = (
    <>
      {admin && <button type="button" class="action usual" data-testid="rule-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (making.value = true)}>{r("new")}</button>}
      <Refresh list={list} />
    </>
  );
  const rules = [...list.items.value].sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  return (
    <Sheet id="rules" title={p("rules")} more={p("rules_more")} tools={tools}>
      {errors.value.length > 0 && <Refused errors={errors.value} />}
      <table>
        <thead><tr>
          <th>{p("priority")}</th><th>{p("rule")}</th><th>{p("condition")}</th><th>{p("deadband")}</th>
          <th>{p("grade")}</th><th>{p("department")}</th><th>{p("deadline")}</th><th>{p("scope")}</th><th class="right">{p("open_now")}</th>
        </tr></thead>
        <tbody>{rules.map((rule) => <RuleRow key={rule.id} rule={rule} desk={desk} />)}</tbody>
      </table>
      <ListEnd list={list} none={p("nothing")} />
      {making.value && <RuleDialog id={null} close={() => (making.value = false)} changed={() => list.reload()} />}
      {item !== null && <RuleDialog key={item} id={item} close={() => show("rules")} changed={() => list.reload()} />}
    </Sheet>
  );
}

function RuleRow({ rule, desk }: { rule: ListedRule; desk: Desk }) {
  const { metrics, areas } = desk.board.picture;
  const metric = desk.board.epoch.value > 0 ? metrics.get(rule.metric) : undefined;
  const unit = unitName(metric?.unit ?? "");
  const scope = [...rule.areas.map((id) => named(areas.get(id)) || id), ...rule.sensors].join(" ");
  const open = desk.open.value.filter((incident) => incident.rule_id === rule.id).length;
  return (
    <tr data-testid={`rule-${rule.id}`}>
      <td><Shape priority={rule.priority} /></td>
      <td><a href={hashOf("rules", rule.id)}>{language.value === "zh" ? rule.title.zh : rule.title.en}</a><small><code>{rule.id}</code> {p("version", { n: rule.version })}{rule.enabled ? "" : ` · ${p("switched_off")}`}</small></td>
      <td>
        {named(metric) || rule.metric} {condition(rule, unit)}
        <small>{rule.for_seconds > 0 ? p("for_span", { span: exactSpan(rule.for_seconds) }) : p("at_once")}</small>
      </td>
      <td>{rule.deadband > 0 ? `${rule.deadband} ${unit}` : "—"}</td>
      <td>{known(`grade_${rule.grade}`)}</td>
      <td>{rule.department ?? "—"}</td>
      <td>{rule.deadline_seconds === null ? "—" : exactSpan(rule.deadline_seconds)}</td>
      <td>{scope || p("everywhere")}</td>
      <td class="right figures-cell">{open}</td>
    </tr>
  );
}

function Refused({ errors }: { errors: RuleError[] }) {
  return (
    <div class="notice failed" role="alert">
      <div>
        <b>{p("refused_rules")}</b>
        <ul>
          {errors.map((error) => (
            <li key={`${error.file}:${error.line}`}>{p("line", { file: error.file, line: error.line })} {error.detail}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}
