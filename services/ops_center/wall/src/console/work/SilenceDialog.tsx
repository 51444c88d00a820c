import { useSignal } from "@preact/signals";

import { post } from "../../api";
import type { Incident } from "../../live/protocol";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Pick, Prose, Send, type Option } from "../Fields";
import { f } from "../form-texts";
import { useTask } from "../task";
import { MINUTES, SHELVED_P1_AT_MOST, matchersOf, scopesOf, type Scope } from "./silence";
import { SilencePreview } from "./SilencePreview";
import { w } from "./texts";

/** Keeps an incident's echo quiet, after showing what that would hide. */
export function SilenceDialog({ incident, desk, close }: { incident: Incident; desk: Desk; close: () => void }) {
  const scopes = scopesOf(incident);
  const scope = useSignal<string>(scopes[0] as Scope), minutes = useSignal("60"), reason = useSignal("");
  const asked = useSignal(false);
  const task = useTask();
  const matchers = matchersOf(scope.value as Scope, incident);
  const longest = matchers === null && incident.priority === 1 ? SHELVED_P1_AT_MOST : Infinity;
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (reason.value.trim() === "" || Number(minutes.value) > longest) return;
    const until = new Date(desk.board.now() + Number(minutes.value) * 60_000).toISOString();
    const what = matchers === null ? { kind: "shelving", incident_id: incident.id } : { kind: "silence", matchers };
    void task.run(async () => {
      await post("/v1/silences", { ...what, until, reason: reason.value.trim() });
      close();
    });
  };
  const spans = MINUTES.filter((count) => count <= longest).map((count): Option =>
    [String(count), count < 60 ? w("minutes", { n: count }) : w("hours", { n: count / 60 })]);
  return (
    <Dialog id="silence-dialog" title={w("silence_title", { title: incident.title })} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <p class="soft">{w("silence_more")}</p>
        <div class="pair">
          <Pick id="silence-scope" label={w("scope")} value={scope} options={scopes.map((one): Option => [one, w(`scope_${one}`)])} />
          <Pick id="silence-span" label={w("until")} value={minutes} options={spans} />
        </div>
        {matchers !== null && <SilencePreview matchers={matchers} />}
        <Prose id="silence-reason" label={w("reason")} rows={2} value={reason}
          fault={asked.value && reason.value.trim() === "" ? f("required") : ""} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={w("silence_go")} id="silence-go" cancel={close} />
      </form>
    </Dialog>
  );
}
