import { useSignal } from "@preact/signals";

import { get, patch, post } from "../api";
import { person } from "../login/session";
import { may } from "./commands";
import { Dialog, Failure } from "./Dialog";
import { Prose, Send, Text } from "./Fields";
import { moment } from "./moment";
import { knownPage, p } from "./page-texts";
import { useOne, useTask } from "./task";

interface Detail {
  id: number;
  state: "waiting" | "replayed" | "discarded";
  code: string;
  detail: string;
  source: string;
  item: unknown;
  mended: unknown;
  changes: { at: string; actor: string; action: string; detail: string }[];
}

interface Settled {
  done: number;
  left: { id: number; code: string; detail: string }[];
}

/** One item: why it lies here, what it says, and the way back for it. */
export function QuarantineDialog({ id, close, changed }: { id: number; close: () => void; changed: () => void }) {
  const item = useOne<Detail>((signal) => get(`/v1/quarantine/${id}`, {}, signal), [id]);
  const found = item.value.value;
  return (
    <Dialog id="quarantine-dialog" title={p("quarantine_item", { id })} close={close}>
      <Failure error={item.error.value} />
      {found !== null && <Mending key={`${found.state}${found.changes.length}`} found={found} close={close} changed={() => { changed(); item.reload(); }} />}
    </Dialog>
  );
}

function Mending({ found, close, changed }: { found: Detail; close: () => void; changed: () => void }) {
  const text = useSignal(JSON.stringify(found.mended ?? found.item, null, 2)), note = useSignal(""), wrong = useSignal("");
  const left = useSignal<Settled["left"]>([]);
  const task = useTask();
  const may_mend = may(person.value?.role ?? "", "admin") && found.state === "waiting";
  const replay = (event: Event): void => {
    event.preventDefault();
    const item = parsed(text.value);
    wrong.value = item === undefined ? p("not_json") : "";
    if (item === undefined) return;
    void task.run(async () => {
      await patch(`/v1/quarantine/${found.id}`, { item, note: note.value.trim() });
      const answer = await post<Settled>("/v1/quarantine/replay", { filter: { ids: [found.id] } });
      left.value = answer.left;
      if (answer.left.length === 0) changed();
    });
  };
  const discard = (): void => {
    wrong.value = note.value.trim() === "" ? p("say_why") : "";
    if (wrong.value !== "") return;
    void task.run(() => post("/v1/quarantine/discard", { filter: { ids: [found.id] }, note: note.value.trim() }).then(changed));
  };
  return (
    <form class="stack" noValidate onSubmit={replay} data-testid="quarantine-item" data-state={found.state}>
      <p><b>{knownPage(found.code)}</b> {found.detail}</p>
      <p class="soft">{p("source")} {found.source} · {p(`held_${found.state}`)}</p>
      <Prose id="quarantine-text" label={p(found.mended === null ? "item" : "mended")} rows={9} code value={text} readOnly={!may_mend} />
      {may_mend && (
        <>
          <Text id="quarantine-note" label={p("mend_note")} value={note} />
          {wrong.value !== "" && <p class="problem" role="alert">{wrong.value}</p>}
          {left.value.map((one) => <p key={one.id} class="problem" role="alert" data-testid="quarantine-left">{p("refused_again")} {knownPage(one.code)}：{one.detail}</p>)}
          <Failure error={task.failure.value} />
          <Send busy={task.busy.value} label={p("mend_replay")} id="quarantine-replay" cancel={close}>
            <button type="button" class="plain danger" aria-disabled={task.busy.value} data-testid="quarantine-discard" onClick={discard}>{p("discard")}</button>
          </Send>
        </>
      )}
      {found.changes.length > 0 && (
        <ul class="lines">
          {found.changes.map((one) => <li key={one.at}><b>{knownPage(`held_${one.action}`)}</b><small>{one.actor} · {moment(one.at, Date.now())} {one.detail}</small></li>)}
        </ul>
      )}
    </form>
  );
}

/** undefined: no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
