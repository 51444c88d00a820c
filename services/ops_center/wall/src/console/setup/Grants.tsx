import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, post } from "../../api";
import { named } from "../../i18n";
import { person } from "../../login/session";
import { may } from "../commands";
import { Failure, Once } from "../Dialog";
import { moment } from "../moment";
import { useMore } from "../paging";
import { knownAreas } from "../reference";
import { ListEnd, Refresh, Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useOne, useTask } from "../task";
import { byDataset, levelName, STATES, type Disclosure, type Grant, type Usage } from "./grant";
import { g } from "./grant-texts";
import { GrantDecision } from "./GrantDecision";
import { GrantDialog } from "./GrantDialog";
import { useSecret } from "./secret";

/** Who was lent which data, by whom, what for. */
export function Grants() {
  const state = useSignal(""), asking = useSignal(false), deciding = useSignal<Grant | null>(null);
  const secret = useSecret();
  const known = useOne<Disclosure>((signal) => get("/v1/disclosure", {}, signal), []);
  const list = useMore<Grant>((cursor, signal) => get("/v1/grants", { ...(state.value && { state: state.value }), limit: 100, cursor }, signal));
  useEffect(() => list.reload(), [state.value]);
  const shown = (name: string, token: string): void => {
    secret.copied.value = false;
    secret.held.value = { title: g("key_made", { name }), secret: token };
  };
  const tools = (
    <>
      <select aria-label={g("only")} data-testid="grant-state" value={state.value} onChange={(event) => (state.value = event.currentTarget.value)}>
        <option value="">{g("all_states")}</option>
        {STATES.map((one) => <option key={one} value={one}>{g(one)}</option>)}
      </select>
      <button type="button" class="action usual" data-testid="grant-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (asking.value = true)}>{g("ask")}</button>
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="grants" title={g("grants")} more={g("grants_more")} tools={tools}>
      {secret.held.value && <Once {...secret.held.value} copied={secret.copied.value} copy={secret.copy} done={() => (secret.held.value = null)} />}
      <table>
        <thead><tr><th>{g("which")}</th><th>{g("what")}</th><th>{g("areas")}</th><th>{g("who")}</th><th>{g("state")}</th><th>{g("usage")}</th><th class="right"><span class="unseen">{g("tools")}</span></th></tr></thead>
        <tbody>
          {list.items.value.map((one) => (
            <GrantRow key={one.grant_id} of={one} known={known.value.value} decide={() => (deciding.value = one)} shown={shown} changed={() => list.reload()} />
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none={g("nobody")} />
      {asking.value && <GrantDialog known={known.value.value} close={() => (asking.value = false)} done={() => list.reload()} />}
      {deciding.value !== null && <GrantDecision of={deciding.value} close={() => (deciding.value = null)} done={() => list.reload()} />}
    </Sheet>
  );
}

function GrantRow({ of: grant, known, decide, shown, changed }: {
  of: Grant; known: Disclosure | null; decide: () => void; shown: (name: string, token: string) => void; changed: () => void;
}) {
  const task = useTask(), now = Date.now(), ending = useSignal(false);
  const mine = grant.requested_by === person.value?.username, admin = may(person.value?.role ?? "", "admin");
  const collect = (): void => void task.run(async () => {
    shown(grant.recipient, (await post<{ token: string }>(`/v1/grants/${grant.grant_id}/key`, {})).token);
    changed();
  });
  const open = grant.state === "requested" || grant.state === "active";
  return (
    <tr data-testid={`grant-${grant.grant_id}`} data-state={grant.state}>
      <td><b>{grant.recipient}</b><small>{grant.purpose}</small></td>
      <td>
        {byDataset(grant.fields).map(([dataset, names]) => <div key={dataset}>{nameOf(known, dataset)} <small class="grant-fields">{names.join(" ")}</small></div>)}
        {grant.kind === "key" && <small>{g("up_to", { level: levelName(known, grant.level) })}</small>}
      </td>
      <td>{where(grant) || g("every")}</td>
      <td>{g("asked_by", { name: grant.requested_by })}<small>{said(grant)}</small></td>
      <td class={grant.state === "active" ? "" : "late"}>{g(grant.state)}<small>{moment(grant.ends_at, now)}</small></td>
      <td class="figures-cell">{grant.kind === "key" && grant.decided_by !== null && <Used of={grant} />}</td>
      <td class="right">
        <Failure error={task.failure.value} />
        <span class="row-tools">
          {grant.state === "requested" && admin && !mine && <button type="button" class="link-button" data-testid="grant-decide" onClick={decide}>{g("decide")}</button>}
          {grant.state === "active" && grant.kind === "key" && mine && (
            <Sure id="grant-collect" label={g("collect")} question={g("collect_sure")} act={collect} disabled={task.busy.value} />
          )}
          {open && (mine || admin) && <button type="button" class="link-button" data-testid="grant-end" onClick={() => (ending.value = true)}>{g("end")}</button>}
        </span>
        {ending.value && <GrantDecision of={grant} end close={() => (ending.value = false)} done={changed} />}
      </td>
    </tr>
  );
}

function Used({ of: grant }: { of: Grant }) {
  const usage = useOne<Usage>((signal) => get(`/v1/grants/${grant.grant_id}/usage`, {}, signal), [grant.grant_id]);
  const { rows = 0, requests = 0 } = usage.value.value ?? {};
  return <>{g("rows", { n: rows, m: requests })}</>;
}

function nameOf(known: Disclosure | null, dataset: string): string {
  return named(known?.items.map((one) => ({ name_zh: one.zh, name_en: one.en, id: one.dataset })).find((one) => one.id === dataset)) || dataset;
}

function where(grant: Grant): string {
  const areas = grant.areas.map((id) => named(knownAreas().find((one) => one.area_id === id)) || id);
  return [...areas, ...grant.metrics].join(" ");
}

function said(grant: Grant): string {
  if (grant.revoked_because !== null) return `${grant.revoked_by ?? ""}: ${grant.revoked_because}`;
  return grant.decided_by === null ? "" : `${g("decided_by", { name: grant.decided_by })}: ${grant.reason ?? ""}`;
}
