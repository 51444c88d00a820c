import { useSignal } from "@preact/signals";

import { ApiError, post } from "../../api";
import type { Incident } from "../../live/protocol";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Pick, Prose, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { t } from "../strings";
import { useTask } from "../task";
import { w } from "./texts";

interface Pair {
  incident: Incident;
  other: Incident;
}

const OFFERED = 50;

/** Several incidents into one: of those ticked, or the chosen one into another. */
export function MergeDialog({ incidents, desk, close }: { incidents: readonly Incident[]; desk: Desk; close: () => void }) {
  const several = incidents.length > 1;
  const sought = useSignal(""), note = useSignal(""), asked = useSignal(false);
  const task = useTask();
  const targets = several ? incidents : likely(incidents[0] as Incident, desk.open.value, sought.value);
  const into = useSignal(targets[0]?.id ?? "");
  const target = targets.find((one) => one.id === into.value) ?? targets[0];
  const leaving = incidents.filter((one) => one.id !== target?.id);
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (target === undefined || note.value.trim() === "") return;
    void task.run(async () => {
      for (const one of leaving) await merge(one, target, note.value.trim(), desk);
      desk.marked.value = new Set();
      desk.select(target.id);
      close();
    });
  };
  return (
    <Dialog id="merge-dialog" title={w("merge_title")} close={close}>
      <form class="stack" noValidate onSubmit={submit}>
        <p class="soft">{w("merge_more")}</p>
        <ul class="merging">{leaving.map((one) => <li key={one.id}>{one.title}</li>)}</ul>
        {!several && <Text id="merge-search" label={w("merge_pick")} value={sought} />}
        {targets.length === 0 ? <p class="nothing">{w("merge_none")}</p> : (
          <Pick id="merge-into" label={w("merge_into")} value={into} options={targets.map((one): Option =>
            [one.id, `${t(`p${one.priority}`)} · ${one.title} · ${t(one.state)}`])} />
        )}
        <Prose id="merge-note" label={w("merge_reason")} rows={2} value={note}
          fault={asked.value && note.value.trim() === "" ? f("required") : ""} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={w("merge_go", { n: leaving.length })} id="merge-go" cancel={close} />
      </form>
    </Dialog>
  );
}

/** Same cause or category first, then the same area. */
function likely(incident: Incident, open: readonly Incident[], sought: string): Incident[] {
  const wanted = sought.trim().toLocaleLowerCase();
  const near = (one: Incident): number =>
    Number(one.category === incident.category) + Number(one.area_id === incident.area_id) + Number(one.rule_id === incident.rule_id);
  return open
    .filter((one) => one.id !== incident.id && `${one.title} ${one.id}`.toLocaleLowerCase().includes(wanted))
    .sort((a, b) => near(b) - near(a)).slice(0, OFFERED);
}

/** With the version that is seen, so that a merge over somebody else's step is refused. */
async function merge(one: Incident, target: Incident, note: string, desk: Desk): Promise<void> {
  try {
    const pair = await post<Pair>(`/v1/incidents/${one.id}/merge`, { into: target.id, note, version: one.version });
    desk.learn(pair.incident);
    desk.learn(pair.other);
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) void desk.dossier(one.id).catch(() => undefined);
    throw error;
  }
}
