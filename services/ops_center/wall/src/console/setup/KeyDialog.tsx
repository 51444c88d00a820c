import { useSignal } from "@preact/signals";

import { patch, post } from "../../api";
import { named } from "../../i18n";
import { METRIC_DOMAINS } from "../../live/protocol";
import { Dialog, Failure } from "../Dialog";
import { Checks, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { fromCity, inCity } from "../moment";
import { knownAreas } from "../reference";
import { useTask } from "../task";
import type { Key } from "./Keys";
import { s, type SetupText } from "./texts";

const SCOPES = ["post", "register", "backfill", "correct", "mend", "report"];

/** A new key, or another confinement or quota for one. */
export function KeyDialog({ of: key, close, made, changed }: {
  of: Key | null; close: () => void; made: (name: string, token: string) => void; changed: () => void;
}) {
  const name = useSignal(key?.name ?? ""), scopes = useSignal<readonly string[]>(key?.scopes ?? ["post"]);
  const domains = useSignal<readonly string[]>(key?.domains ?? []), areas = useSignal<readonly string[]>(key?.areas ?? []);
  const readings = useSignal(text(key?.quota.readings_per_second)), bytes = useSignal(text(key?.quota.bytes_per_second));
  const expires = useSignal(key?.expires_at ? inCity(Date.parse(key.expires_at)) : ""), asked = useSignal(false);
  const task = useTask();
  const bad = (value: string): string => (asked.value && value !== "" && !(Number(value) >= 0) ? f("number") : "");
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (name.value.trim() === "" || [readings, bytes].some((one) => bad(one.value) !== "")) return;
    const body = {
      name: name.value.trim(), scopes: scopes.value, domains: domains.value, areas: areas.value, expires_at: fromCity(expires.value),
      quota: { ...key?.quota, readings_per_second: rate(readings.value), bytes_per_second: rate(bytes.value) },
    };
    void task.run(async () => {
      if (key === null) made(body.name, (await post<{ token: string }>("/v1/keys", body)).token);
      else await patch(`/v1/keys/${key.key_id}`, body).then(changed);
      close();
    });
  };
  return (
    <Dialog id="key-dialog" title={s(key === null ? "key_new" : "key_edit")} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <Text id="key-name" label={s("key_name")} value={name} fault={asked.value && name.value.trim() === "" ? f("required") : ""} />
        <Checks id="key-scopes" label={s("scopes")} value={scopes} options={SCOPES.map((one): Option => [one, s(`s_${one}` as SetupText)])} />
        <Checks id="key-domains" label={s("domains")} value={domains} none={s("every")} options={METRIC_DOMAINS.map((one): Option => [one, s(`d_${one}` as SetupText)])} />
        <Checks id="key-areas" label={s("areas")} value={areas} none={s("every")}
          options={knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])} />
        <div class="pair">
          <Text id="key-readings" label={s("rps")} hint={s("rps_hint")} type="number" value={readings} fault={bad(readings.value)} />
          <Text id="key-bytes" label={s("bps")} type="number" value={bytes} fault={bad(bytes.value)} />
        </div>
        <Text id="key-expires" label={`${s("expires")} · ${f("optional")}`} type="datetime-local" value={expires} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={f("save")} id="key-save" cancel={close} />
      </form>
    </Dialog>
  );
}

function text(rate: number | null | undefined): string {
  return rate === null || rate === undefined ? "" : String(rate);
}

function rate(given: string): number | null {
  return given.trim() === "" ? null : Number(given);
}
