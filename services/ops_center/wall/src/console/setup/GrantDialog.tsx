import { useSignal } from "@preact/signals";

import { post } from "../../api";
import { named } from "../../i18n";
import { Dialog, Failure } from "../Dialog";
import { Checks, Pick, Prose, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { fromCity, inCity } from "../moment";
import { knownAreas } from "../reference";
import { useTask } from "../task";
import { askable, levelName, type Disclosure, type Grant } from "./grant";
import { g } from "./grant-texts";

const LEVELS = ["public", "internal", "sensitive", "core"];
const HALF_A_YEAR_MS = 180 * 86_400_000;
const USUAL = ["readings.sensor_id", "readings.metric", "readings.observed_at", "readings.value"];

/** A request: which data, for whom, what for, until when. */
export function GrantDialog({ known, close, done }: { known: Disclosure | null; close: () => void; done: () => void }) {
  const kind = useSignal<string>("key"), recipient = useSignal(""), purpose = useSignal(""), level = useSignal("internal");
  const fields = useSignal<readonly string[]>(USUAL), areas = useSignal<readonly string[]>([]), metrics = useSignal("");
  const rate = useSignal("0"), ends = useSignal(inCity(Date.now() + HALF_A_YEAR_MS)), asked = useSignal(false), task = useTask();
  const forKey = kind.value === "key", options = askable(known, kind.value as Grant["kind"]);
  const chosen = options.flatMap((one) => one.fields.map((field) => field.path)).filter((path) => fields.value.includes(path));
  const empty = (value: string): string => (asked.value && value.trim() === "" ? f("required") : "");
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if ([recipient, purpose, ends].some((one) => one.value.trim() === "") || chosen.length === 0) return;
    const confined = forKey ? { level: level.value, areas: areas.value, metrics: metrics.value.split(/[\s,,;;、]+/).filter(Boolean), rows_per_second: Number(rate.value) || 0 } : {};
    const body = { kind: kind.value, recipient: recipient.value.trim(), purpose: purpose.value.trim(), fields: chosen, ends_at: fromCity(ends.value), ...confined };
    void task.run(async () => {
      await post("/v1/grants", body);
      done();
      close();
    });
  };
  return (
    <Dialog id="grant-dialog" title={g("ask")} close={close} wide>
      <form class="stack" noValidate onSubmit={submit}>
        <Pick id="grant-kind" label={g("kind")} value={kind} options={[["key", g("ask_key")], ["person", g("ask_person")]]} />
        <div class="pair">
          <Text id="grant-recipient" label={g("recipient")} value={recipient} fault={empty(recipient.value)} />
          <Text id="grant-ends" label={g("ends")} type="datetime-local" value={ends} fault={empty(ends.value)} />
        </div>
        <Prose id="grant-purpose" label={g("purpose")} rows={2} hint={g("reason_hint")} value={purpose} fault={empty(purpose.value)} />
        {options.map((one) => (
          <Checks key={one.dataset} id={`grant-fields-${one.dataset}`} label={one.name} value={fields}
            options={one.fields.map((field): Option => [field.path, field.open ? field.name : `${field.name} · ${field.level}`])} />
        ))}
        {asked.value && chosen.length === 0 && <p role="alert" class="problem">{g("need_field")}</p>}
        {forKey && (
          <>
            <Checks id="grant-areas" label={g("areas")} value={areas} none={g("every")}
              options={knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])} />
            <Text id="grant-metrics" label={`${g("metrics")} · ${f("optional")}`} value={metrics} placeholder="water.level rain.hour" />
            <div class="pair">
              <Pick id="grant-level" label={g("level")} hint={g("level_hint")} value={level} options={LEVELS.map((code): Option => [code, levelName(known, code)])} />
              <Text id="grant-rate" label={g("rate")} hint={g("rate_hint")} type="number" value={rate} />
            </div>
          </>
        )}
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={g("ask")} id="grant-save" cancel={close} />
      </form>
    </Dialog>
  );
}
