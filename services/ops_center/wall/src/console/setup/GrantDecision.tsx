import { useSignal } from "@preact/signals";

import { post } from "../../api";
import { Dialog, Failure } from "../Dialog";
import { Pick, Prose, Send } from "../Fields";
import { f } from "../form-texts";
import { useTask } from "../task";
import type { Grant } from "./grant";
import { g } from "./grant-texts";

/** Approve, refuse or (`end`) revoke, with a reason that everybody can read. */
export function GrantDecision({ of: grant, end, close, done }: { of: Grant; end?: boolean; close: () => void; done: () => void }) {
  const choice = useSignal("approve"), reason = useSignal(""), asked = useSignal(false), task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    const said = reason.value.trim();
    if (said === "") return;
    void task.run(async () => {
      if (end) await post(`/v1/grants/${grant.grant_id}/revoke`, { reason: said });
      else await post(`/v1/grants/${grant.grant_id}/decision`, { approve: choice.value === "approve", reason: said });
      done();
      close();
    });
  };
  return (
    <Dialog id="grant-decision" title={`${g(end ? "end" : "decide")} · ${grant.recipient}`} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <p>{grant.purpose}</p>
        {!end && <Pick id="grant-choice" label={g("decide")} value={choice} options={[["approve", g("approve")], ["refuse", g("refuse")]]} />}
        <Prose id="grant-reason" label={g(end ? "end_reason" : "reason")} hint={g("reason_hint")} value={reason} fault={asked.value && reason.value.trim() === "" ? f("required") : ""} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={g(end ? "end" : choice.value === "approve" ? "approve" : "refuse")} id="grant-send" cancel={close} danger={Boolean(end)} />
      </form>
    </Dialog>
  );
}
