import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, patch, post, remove } from "../../api";
import { named } from "../../i18n";
import type { Grant } from "../../login/session";
import { Failure, Once } from "../Dialog";
import { moment } from "../moment";
import { useMore } from "../paging";
import { departmentName, knownAreas } from "../reference";
import { ListEnd, Refresh, Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useTask } from "../task";
import { useSecret } from "./secret";
import { knownSetup, s } from "./texts";
import { UserDialog } from "./UserDialog";

export interface User {
  username: string;
  display_name: string;
  role: string;
  grants: Grant[];
  department: string | null;
  disabled: boolean;
  must_change_password: boolean;
  login: "password" | "oidc";
  created_at: string;
}

export interface OneTime {
  user: User;
  password: string | null;
  valid_until: string;
}

/** Accounts, and what each may do where. */
export function Users() {
  const editing = useSignal<User | "new" | null>(null);
  const secret = useSecret();
  const list = useMore<User>((cursor, signal) => get("/v1/users", { limit: 100, cursor }, signal));
  useEffect(() => list.reload(), []);
  const given = ({ user, password, valid_until: until }: OneTime): void => {
    secret.copied.value = false;
    const title = s("one_time", { name: user.display_name || user.username, until: moment(until, Date.now()) });
    if (password !== null) secret.held.value = { title, secret: password };
    list.reload();
  };
  const tools = (
    <>
      <button type="button" class="action usual" data-testid="user-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (editing.value = "new")}>{s("user_new")}</button>
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="users" title={s("users")} more={s("users_more")} tools={tools}>
      {secret.held.value && <Once {...secret.held.value} copied={secret.copied.value} copy={secret.copy} done={() => (secret.held.value = null)} />}
      <table>
        <thead><tr><th>{s("username")}</th><th>{s("display_name")}</th><th>{s("roles")}</th><th>{s("sign_in")}</th><th>{s("state")}</th><th>{s("created")}</th><th class="right"><span class="unseen">{s("edit")}</span></th></tr></thead>
        <tbody>{list.items.value.map((user) => <UserRow key={user.username} user={user} edit={() => (editing.value = user)} given={given} changed={() => list.reload()} />)}</tbody>
      </table>
      <ListEnd list={list} none={s("nobody")} />
      {editing.value !== null && (
        <UserDialog of={editing.value === "new" ? null : editing.value} close={() => (editing.value = null)} given={given} changed={() => list.reload()} />
      )}
    </Sheet>
  );
}

function UserRow({ user, edit, given, changed }: { user: User; edit: () => void; given: (made: OneTime) => void; changed: () => void }) {
  const task = useTask();
  const path = `/v1/users/${encodeURIComponent(user.username)}`;
  const after = (work: Promise<unknown>): void => void task.run(() => work.then(changed));
  const reset = (): void => void task.run(async () => given(await post<OneTime>(`${path}/reset-password`, {})));
  return (
    <tr data-testid={`user-${user.username}`} data-disabled={user.disabled}>
      <td><b>{user.username}</b></td>
      <td>{user.display_name || "—"}{user.department !== null && <small>{departmentName(user.department)}</small>}</td>
      <td>
        {user.grants.length === 0 ? s("no_role") : (
          <ul>{user.grants.map((grant) => <li key={JSON.stringify(grant)}>{inWords(grant)}</li>)}</ul>
        )}
      </td>
      <td>{s(user.login === "oidc" ? "by_oidc" : "by_password")}</td>
      <td class={user.disabled ? "late" : ""}>{s(user.disabled ? "disabled" : user.must_change_password ? "must_change" : "in_use")}</td>
      <td class="figures-cell">{moment(user.created_at, Date.now())}</td>
      <td class="right">
        <Failure error={task.failure.value} />
        <span class="row-tools">
          <button type="button" class="link-button" data-testid="user-edit" onClick={edit}>{s("edit")}</button>
          {user.login === "password" && <Sure id="user-reset" label={s("reset")} question={s("reset_sure")} act={reset} />}
          <Sure id="user-sessions" label={s("end_sessions")} question={s("end_sure")} act={() => after(remove(`${path}/sessions`))} />
          {user.disabled
            ? <button type="button" class="link-button" data-testid="user-enable" onClick={() => after(patch(path, { disabled: false }))}>{s("enable")}</button>
            : <Sure id="user-disable" label={s("disable")} question={s("disable_sure")} act={() => after(patch(path, { disabled: true }))} />}
        </span>
      </td>
    </tr>
  );
}

/** `值班员 · 鼎湖区 · 环境`. */
function inWords({ role, area_id: area, domain }: Grant): string {
  const where = area === null ? s("whole_city") : named(knownAreas().find((one) => one.area_id === area)) || area;
  return [knownSetup(`r_${role}`), where, domain === null ? "" : knownSetup(`d_${domain}`)].filter(Boolean).join(" · ");
}
