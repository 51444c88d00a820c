import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, remove } from "../../api";
import { named } from "../../i18n";
import { person } from "../../login/session";
import { may } from "../commands";
import type { Desk } from "../desk";
import { Failure } from "../Dialog";
import { moment } from "../moment";
import { useMore } from "../paging";
import { hashOf } from "../route";
import { ListEnd, Refresh, Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useTask } from "../task";
import { NewSilence } from "./NewSilence";
import type { Matchers } from "./silence";
import { knownWork, w, type WorkText } from "./texts";

interface Silence {
  silence_id: string;
  kind: "silence" | "maintenance" | "out_of_service" | "shelving";
  state: "active" | "pending" | "expired";
  matchers: Matchers | null;
  incident_id: string | null;
  from: string;
  until: string;
  reason: string;
  created_by: string;
  ended_at: string | null;
  ended_by: string | null;
}

const STATES = ["active", "pending", "expired"] as const;

/** Everything that is or was kept quiet. */
export function Silences({ desk }: { desk: Desk }) {
  const state = useSignal("active"), making = useSignal(false);
  const list = useMore<Silence>((cursor, signal) => get("/v1/silences", { state: state.value || null, limit: 50, cursor }, signal));
  useEffect(() => list.reload(), [state.value]);
  const operator = may(person.value?.role ?? "", "operator");
  const tools = (
    <>
      <select aria-label={w("every_state")} data-testid="silences-state" value={state.value} onChange={(event) => (state.value = event.currentTarget.value)}>
        <option value="">{w("every_state")}</option>
        {STATES.map((one) => <option key={one} value={one}>{w(`state_${one}`)}</option>)}
      </select>
      {operator && <button type="button" class="action usual" data-testid="silence-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (making.value = true)}>{w("new_silence")}</button>}
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="silences" title={w("silences")} more={w("silences_more")} tools={tools}>
      <table>
        <thead><tr><th>{w("what")}</th><th>{w("kind")}</th><th>{w("span")}</th><th>{w("reason")}</th><th>{w("who")}</th><th class="right"><span class="unseen">{w("end_now")}</span></th></tr></thead>
        <tbody>{list.items.value.map((one) => <SilenceRow key={one.silence_id} silence={one} desk={desk} operator={operator} changed={() => list.reload()} />)}</tbody>
      </table>
      <ListEnd list={list} none={w("no_silences")} />
      {making.value && <NewSilence desk={desk} close={() => (making.value = false)} made={() => list.reload()} />}
    </Sheet>
  );
}

function SilenceRow({ silence, desk, operator, changed }: { silence: Silence; desk: Desk; operator: boolean; changed: () => void }) {
  const task = useTask();
  const now = desk.board.now();
  const end = (): void => void task.run(async () => {
    await remove(`/v1/silences/${silence.silence_id}`);
    changed();
  });
  return (
    <tr data-testid={`silence-${silence.silence_id}`} data-state={silence.state}>
      <td>{silence.incident_id !== null
        ? <a href={hashOf("incidents", silence.incident_id)}>{titleOf(silence.incident_id, desk)}</a>
        : <Matched matchers={silence.matchers ?? {}} desk={desk} />}</td>
      <td>{w(`kind_${silence.kind}`)}<small>{w(`state_${silence.state}`)}</small></td>
      <td class="figures-cell">{moment(silence.from, now)}<small>{moment(silence.ended_at ?? silence.until, now)}{silence.ended_at && ` · ${w("ended_early")}`}</small></td>
      <td>{silence.reason}</td>
      <td>{silence.created_by}{silence.ended_by && <small>{silence.ended_by}</small>}</td>
      <td class="right">
        <Failure error={task.failure.value} />
        {operator && silence.state !== "expired" && <Sure id="silence-end" label={w("end_now")} question={w("end_sure")} act={end} disabled={task.busy.value} />}
      </td>
    </tr>
  );
}

function titleOf(id: string, desk: Desk): string {
  return desk.incident(id)?.title ?? id.slice(0, 8);
}

/** `规则 gas-leak，区域 端州区`. */
function Matched({ matchers, desk }: { matchers: Matchers; desk: Desk }) {
  const said = (field: string, value: string | number): string =>
    field === "area" ? named(desk.board.picture.areas.get(String(value))) || String(value) : String(value);
  return (
    <ul class="facts-line">
      {Object.entries(matchers).map(([field, values]) => (
        <li key={field}><small>{knownWork(`m_${field}` as WorkText)}</small> {(values as (string | number)[]).map((one) => said(field, one)).join(" ")}</li>
      ))}
    </ul>
  );
}
