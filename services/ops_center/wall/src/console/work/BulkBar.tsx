import { useSignal } from "@preact/signals";

import { person } from "../../login/session";
import type { Incident } from "../../live/protocol";
import { CommandForm } from "../CommandForm";
import { may, specOf, type Command, type Words } from "../commands";
import type { Desk } from "../desk";
import { t } from "../strings";
import { runAll, type Outcome } from "./bulk";
import { w } from "./texts";

const OFFERED: readonly Command[] = ["acknowledge", "dispatch", "start", "resolve", "close"];

/** One step for everything that is ticked. */
export function BulkBar({ desk, shown }: { desk: Desk; shown: readonly Incident[] }) {
  const asking = useSignal<Command | null>(null), outcome = useSignal<Outcome | null>(null);
  const through = useSignal(-1), all = useSignal(0);
  const ids = [...desk.marked.value];
  const marked = ids.flatMap((id) => desk.incident(id) ?? []);
  const role = person.value?.role ?? "";
  const busy = through.value >= 0;
  const run = async (command: Command, words: Words): Promise<void> => {
    [all.value, through.value, outcome.value] = [ids.length, 0, null];
    outcome.value = await runAll(desk, ids, command, words, (count) => (through.value = count));
    [through.value, asking.value] = [-1, null];
  };
  const take = (command: Command): void => {
    outcome.value = null;
    if (specOf(command).atOnce) void run(command, { note: "" });
    else asking.value = asking.value === command ? null : command;
  };
  if (ids.length === 0 && outcome.value === null) return null;
  const first = marked[0];
  return (
    <section class="bulk" aria-label={w("marked", { n: ids.length })} data-testid="bulk">
      {ids.length > 0 && (
        <div class="action-line">
          <b data-testid="bulk-count">{w("marked", { n: ids.length })}</b>
          <button type="button" class="link-button" data-testid="bulk-all"
            onClick={() => (desk.marked.value = new Set(shown.map((one) => one.id)))}>{w("mark_all")}</button>
          <button type="button" class="link-button" data-testid="bulk-none" onClick={() => (desk.marked.value = new Set())}>{w("unmark")}</button>
        </div>
      )}
      {ids.length > 0 && (
        <div class="action-line">
          {OFFERED.filter((one) => may(role, specOf(one).role) && marked.some((each) => specOf(one).from.includes(each.state))).map((one) => (
            <button key={one} type="button" class="action" disabled={busy} data-testid={`bulk-${one}`}
              aria-expanded={specOf(one).atOnce ? undefined : asking.value === one} onClick={() => take(one)}>{t(one)}</button>
          ))}
          {ids.length > 1 && may(role, "dispatcher") && (
            <button type="button" class="action" disabled={busy} data-testid="bulk-merge" onClick={() => (desk.opened.value = "merge")}>{w("merge")}</button>
          )}
        </div>
      )}
      {busy && <p role="status">{w("bulk_busy", { done: through.value, all: all.value })}</p>}
      {asking.value !== null && first !== undefined && (
        <CommandForm key={asking.value} wanted={specOf(asking.value)} before={first} busy={busy} label={t(asking.value)}
          cancel={() => (asking.value = null)} send={(words) => void run(asking.value as Command, words)} />
      )}
      {outcome.value !== null && <Result outcome={outcome.value} close={() => (outcome.value = null)} />}
    </section>
  );
}

function Result({ outcome, close }: { outcome: Outcome; close: () => void }) {
  const { command, done, skipped, beaten, failed } = outcome;
  const parts = [
    w("bulk_done", { what: t(command), done }), skipped > 0 && w("bulk_skipped", { n: skipped }),
    beaten > 0 && w("bulk_beaten", { n: beaten }), failed > 0 && w("bulk_failed", { n: failed }),
  ].filter(Boolean);
  return (
    <div class={beaten + failed > 0 ? "notice failed" : "notice"} role="status" data-testid="bulk-result" data-done={done} data-beaten={beaten} data-failed={failed}>
      <span>{parts.join(" · ")}</span>
      <button type="button" class="link-button" onClick={close}>{t("dismiss")}</button>
    </div>
  );
}
