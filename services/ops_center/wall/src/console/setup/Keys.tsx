import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, post, remove } from "../../api";
import { named } from "../../i18n";
import { Failure, Once } from "../Dialog";
import { moment } from "../moment";
import { useMore } from "../paging";
import { knownAreas } from "../reference";
import { ListEnd, Refresh, Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useTask } from "../task";
import { KeyDialog } from "./KeyDialog";
import { useSecret } from "./secret";
import { knownSetup, s, type SetupText } from "./texts";

export interface Key {
  key_id: string;
  name: string;
  prefix: string;
  state: "active" | "expired" | "revoked";
  scopes: string[];
  domains: string[];
  areas: string[];
  metrics: string[];
  quota: { readings_per_second: number | null; readings_burst: number | null; bytes_per_second: number | null; bytes_burst: number | null };
  created_at: string;
  created_by: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** Who may post, what, where and how much. */
export function Keys() {
  const revoked = useSignal(false), editing = useSignal<Key | "new" | null>(null);
  const secret = useSecret();
  const list = useMore<Key>((cursor, signal) => get("/v1/keys", { revoked: String(revoked.value), limit: 100, cursor }, signal));
  useEffect(() => list.reload(), [revoked.value]);
  const shown = (name: string, token: string): void => {
    secret.copied.value = false;
    secret.held.value = { title: s("key_made", { name }), secret: token };
    list.reload();
  };
  const tools = (
    <>
      <label class="check"><input type="checkbox" checked={revoked.value} onChange={(event) => (revoked.value = event.currentTarget.checked)} />{s("show_revoked")}</label>
      <button type="button" class="action usual" data-testid="key-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (editing.value = "new")}>{s("key_new")}</button>
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="keys" title={s("keys")} more={s("keys_more")} tools={tools}>
      {secret.held.value && <Once {...secret.held.value} copied={secret.copied.value} copy={secret.copy} done={() => (secret.held.value = null)} />}
      <table>
        <thead><tr><th>{s("key_name")}</th><th>{s("scopes")}</th><th>{s("confined")}</th><th>{s("quota")}</th><th>{s("state")}</th><th>{s("used")}</th><th class="right"><span class="unseen">{s("edit")}</span></th></tr></thead>
        <tbody>{list.items.value.map((key) => <KeyRow key={key.key_id} of={key} edit={() => (editing.value = key)} shown={shown} changed={() => list.reload()} />)}</tbody>
      </table>
      <ListEnd list={list} none={s("nobody")} />
      {editing.value !== null && (
        <KeyDialog of={editing.value === "new" ? null : editing.value} close={() => (editing.value = null)} made={shown} changed={() => list.reload()} />
      )}
    </Sheet>
  );
}

function KeyRow({ of: key, edit, shown, changed }: { of: Key; edit: () => void; shown: (name: string, token: string) => void; changed: () => void }) {
  const task = useTask();
  const now = Date.now();
  const rotate = (): void => void task.run(async () => {
    const made = await post<{ token: string }>(`/v1/keys/${key.key_id}/rotate`, {});
    shown(key.name, made.token);
  });
  const revoke = (): void => void task.run(async () => {
    await remove(`/v1/keys/${key.key_id}`);
    changed();
  });
  return (
    <tr data-testid={`key-${key.key_id}`} data-name={key.name} data-state={key.state}>
      <td><b>{key.name}</b><small><code>{key.prefix}…</code> {key.created_by}</small></td>
      <td>{key.scopes.map((scope) => knownSetup(`s_${scope}`)).join("、")}</td>
      <td>{confinement(key) || s("every")}</td>
      <td>{quotaOf(key)}</td>
      <td class={key.state === "active" ? "" : "late"}>{s(key.state)}<small>{key.expires_at === null ? s("never") : moment(key.expires_at, now)}</small></td>
      <td class="figures-cell">{key.last_used_at === null ? s("unused") : moment(key.last_used_at, now)}</td>
      <td class="right">
        <Failure error={task.failure.value} />
        {key.state !== "revoked" && (
          <span class="row-tools">
            <button type="button" class="link-button" data-testid="key-edit" onClick={edit}>{s("edit")}</button>
            <Sure id="key-rotate" label={s("rotate")} question={s("rotate_sure")} act={rotate} disabled={task.busy.value} />
            <Sure id="key-revoke" label={s("revoke")} question={s("revoke_sure")} act={revoke} disabled={task.busy.value} />
          </span>
        )}
      </td>
    </tr>
  );
}

function confinement(key: Key): string {
  const areas = key.areas.map((id) => named(knownAreas().find((one) => one.area_id === id)) || id);
  return [...areas, ...key.domains.map((one) => knownSetup(`d_${one}`)), ...key.metrics].join(" ");
}

function quotaOf(key: Key): string {
  const { readings_per_second: readings, bytes_per_second: bytes } = key.quota;
  const readable = (rate: number | null, text: SetupText, write: (rate: number) => string): string =>
    rate === null ? "" : rate === 0 ? s("unlimited") : s(text, { n: write(rate) });
  const parts = [readable(readings, "per_second", String), readable(bytes, "bytes_second", sized)].filter(Boolean);
  return parts.length > 0 ? parts.join(" · ") : s("quota_default");
}

/** 200000 → 200 kB. */
function sized(bytes: number): string {
  return bytes >= 1e6 ? `${+(bytes / 1e6).toFixed(1)} MB` : bytes >= 1e3 ? `${+(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}
