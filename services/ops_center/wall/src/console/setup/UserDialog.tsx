import { useSignal, type Signal } from "@preact/signals";

import { patch, post } from "../../api";
import { named } from "../../i18n";
import { METRIC_DOMAINS } from "../../live/protocol";
import type { Grant, Role } from "../../login/session";
import { Dialog, Failure } from "../Dialog";
import { Pick, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { departmentOptions, knownAreas } from "../reference";
import { useTask } from "../task";
import { s, type SetupText } from "./texts";
import type { OneTime, User } from "./Users";

const ROLES = ["viewer", "operator", "dispatcher", "admin"];
const NAME = /^[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff._@-]{0,63}$/;

/** A new account, or another name or other roles for one. */
export function UserDialog({ of: user, close, given, changed }: {
  of: User | null; close: () => void; given: (made: OneTime) => void; changed: () => void;
}) {
  const username = useSignal(user?.username ?? ""), name = useSignal(user?.display_name ?? "");
  const grants = useSignal<readonly Grant[]>(user?.grants ?? [{ role: "operator", area_id: null, domain: null }]);
  const department = useSignal(user?.department ?? ""), asked = useSignal(false);
  const task = useTask();
  const fault = NAME.test(username.value) ? "" : s("bad_username");
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (fault !== "") return;
    const body = { display_name: name.value.trim(), grants: grants.value, department: department.value || null };
    void task.run(async () => {
      if (user === null) given(await post<OneTime>("/v1/users", { username: username.value, ...body }));
      else await patch(`/v1/users/${encodeURIComponent(user.username)}`, body).then(changed);
      close();
    });
  };
  return (
    <Dialog id="user-dialog" title={s(user === null ? "user_new" : "user_edit")} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <div class="pair">
          <Text id="user-name" label={s("username")} value={username} disabled={user !== null} fault={asked.value ? fault : ""} />
          <Text id="user-display" label={`${s("display_name")} · ${f("optional")}`} value={name} />
        </div>
        <Pick id="user-department" label={`${s("department")} · ${f("optional")}`} hint={s("department_hint")} value={department}
          options={[["", s("no_department")], ...departmentOptions(user?.department)]} />
        <fieldset class="grants">
          <legend>{s("roles")}</legend>
          {grants.value.map((grant, place) => <GrantLine key={place} grants={grants} place={place} grant={grant} />)}
          <button type="button" class="link-button" data-testid="grant-add"
            onClick={() => (grants.value = [...grants.value, { role: "viewer", area_id: null, domain: null }])}>+ {s("add_grant")}</button>
        </fieldset>
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={f("save")} id="user-save" cancel={close} />
      </form>
    </Dialog>
  );
}

function GrantLine({ grants, place, grant }: { grants: Signal<readonly Grant[]>; place: number; grant: Grant }) {
  const set = (part: Partial<Grant>): void =>
    void (grants.value = grants.value.map((one, index) => (index === place ? { ...one, ...part } : one)));
  const areas: Option[] = [["", s("whole_city")], ...knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])];
  return (
    <div class="grant">
      <Select id={`grant-role-${place}`} label={s("role")} value={grant.role} set={(value) => set({ role: value as Role })}
        options={ROLES.map((one): Option => [one, s(`r_${one}` as SetupText)])} />
      <Select id={`grant-area-${place}`} label={s("where")} value={grant.area_id ?? ""} options={areas} set={(value) => set({ area_id: value || null })} />
      <Select id={`grant-domain-${place}`} label={s("what")} value={grant.domain ?? ""} set={(value) => set({ domain: value || null })}
        options={[["", s("every_domain")], ...METRIC_DOMAINS.map((one): Option => [one, s(`d_${one}` as SetupText)])]} />
      <button type="button" class="link-button" onClick={() => (grants.value = grants.value.filter((_, index) => index !== place))}>{s("drop")}</button>
    </div>
  );
}

function Select({ id, label, value, options, set }: { id: string; label: string; value: string; options: readonly Option[]; set: (value: string) => void }) {
  return (
    <select id={id} data-testid={id} aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
    </select>
  );
}
