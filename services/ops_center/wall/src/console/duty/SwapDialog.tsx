import { useSignal } from "@preact/signals";

import { post } from "../../api";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Checks, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { fromCity, inCity } from "../moment";
import { useTask } from "../task";
import type { Person } from "./Duty";
import { d } from "./texts";

const SHIFT_MS = 12 * 3600_000;

/** Somebody else is on duty for a while. */
export function SwapDialog({ roster, people, desk, close, made }: {
  roster: { roster_id: string; name: string }; people: readonly Person[]; desk: Desk; close: () => void; made: () => void;
}) {
  const who = useSignal<readonly string[]>([]), reason = useSignal(""), asked = useSignal(false);
  const from = useSignal(inCity(desk.board.now())), to = useSignal(inCity(desk.board.now() + SHIFT_MS));
  const task = useTask();
  const starts = fromCity(from.value), ends = fromCity(to.value);
  const badSpan = starts === null || ends === null || Date.parse(ends) <= Date.parse(starts);
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (badSpan || reason.value.trim() === "") return;
    void task.run(async () => {
      await post(`/v1/rosters/${roster.roster_id}/overrides`, { people: who.value, starts_at: starts, ends_at: ends, reason: reason.value.trim() });
      made();
      close();
    });
  };
  return (
    <Dialog id="swap-dialog" title={d("swap_title", { name: roster.name })} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <Checks id="swap-who" label={d("who")} none={d("nobody_on")} value={who} options={people.map((one): Option => [one.person_id, one.name])} />
        <div class="pair">
          <Text id="swap-from" label={d("from")} type="datetime-local" value={from} />
          <Text id="swap-to" label={d("to")} type="datetime-local" value={to} fault={asked.value && badSpan ? d("bad_span") : ""} />
        </div>
        <Text id="swap-reason" label={d("reason")} value={reason} fault={asked.value && reason.value.trim() === "" ? f("required") : ""} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={d("swap_go")} id="swap-go" cancel={close} />
      </form>
    </Dialog>
  );
}
