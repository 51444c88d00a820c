import { useSignal } from "@preact/signals";

import { post } from "../../api";
import { named } from "../../i18n";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Checks, Pick, Prose, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { inCity, fromCity } from "../moment";
import { knownAreas } from "../reference";
import { useTask } from "../task";
import { given, words, type Matchers } from "./silence";
import { SilencePreview } from "./SilencePreview";
import { w } from "./texts";

const KINDS = ["silence", "maintenance", "out_of_service"] as const;
const HOUR_MS = 3600_000;

/** A silence by what it is about, such as a maintenance window that begins tomorrow. */
export function NewSilence({ desk, close, made }: { desk: Desk; close: () => void; made: () => void }) {
  const kind = useSignal("silence"), rule = useSignal(""), metric = useSignal(""), subject = useSignal("");
  const area = useSignal<readonly string[]>([]), reason = useSignal(""), asked = useSignal(false);
  const from = useSignal(inCity(desk.board.now())), to = useSignal(inCity(desk.board.now() + 2 * HOUR_MS));
  const task = useTask();
  const matchers: Matchers = given({ rule: words(rule.value), metric: words(metric.value), subject: words(subject.value), area: [...area.value] });
  const empty = Object.keys(matchers).length === 0;
  const starts = fromCity(from.value), ends = fromCity(to.value);
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (empty || reason.value.trim() === "" || ends === null) return;
    const begins = starts !== null && Date.parse(starts) > desk.board.now() ? { from: starts } : {};
    void task.run(async () => {
      await post("/v1/silences", { kind: kind.value, matchers, until: ends, reason: reason.value.trim(), ...begins });
      made();
      close();
    });
  };
  return (
    <Dialog id="new-silence" title={w("new_silence")} close={close} wide>
      <form class="split" noValidate onSubmit={submit}>
        <div class="stack">
          <Pick id="new-silence-kind" label={w("kind")} value={kind} options={KINDS.map((one): Option => [one, w(`kind_${one}`)])} />
          <p class="soft">{w("matchers_hint")}</p>
          <Text id="new-silence-rule" label={w("m_rule")} value={rule} placeholder="drain-*" />
          <Text id="new-silence-subject" label={w("m_subject")} value={subject} />
          <Text id="new-silence-metric" label={w("m_metric")} value={metric} placeholder="noise.level" />
          <Checks id="new-silence-area" label={w("m_area")} value={area}
            options={knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])} />
          {asked.value && empty && <p class="problem" role="alert">{w("anything")}</p>}
        </div>
        <div class="stack">
          <div class="pair">
            <Text id="new-silence-from" label={w("from")} type="datetime-local" value={from} />
            <Text id="new-silence-to" label={w("to")} type="datetime-local" value={to} />
          </div>
          <Prose id="new-silence-reason" label={w("reason")} rows={2} value={reason}
            fault={asked.value && reason.value.trim() === "" ? f("required") : ""} />
          {!empty && <SilencePreview matchers={matchers} />}
          <Failure error={task.failure.value} />
          <Send busy={task.busy.value} label={w("silence_go")} id="new-silence-go" cancel={close} />
        </div>
      </form>
    </Dialog>
  );
}
