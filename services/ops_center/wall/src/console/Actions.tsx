import { useEffect } from "preact/hooks";

import { person } from "../login/session";
import type { Incident } from "../live/protocol";
import { inWords } from "../login/wording";
import { CommandForm } from "./CommandForm";
import { may, mayAct, offered, specOf, type CommandSpec } from "./commands";
import type { Desk, Notice } from "./desk";
import { actorName, known, t } from "./strings";
import { w } from "./work/texts";

/** What can be done now; the usual next step stands out. */
export function Actions({ incident, desk }: { incident: Incident; desk: Desk }) {
  const { asking } = desk;
  const role = person.value?.role ?? "";
  const busy = desk.guesses.value.has(incident.id);
  const notice = desk.notices.value.get(incident.id);
  const commands = offered(incident, person.value);
  const form = asking.value === null ? null : specOf(asking.value);
  useEffect(() => {
    if (form !== null && !busy && !form.from.includes(incident.state)) asking.value = null;
  }, [incident.state, busy]);
  if (commands.length === 0) return <p class="read-only">{t("read_only")}</p>;
  const button = (one: CommandSpec, kind: string) => (
    <button key={one.command} type="button" class={kind} data-testid={`action-${one.command}`} disabled={busy}
      aria-keyshortcuts={one.key} aria-expanded={one.atOnce ? undefined : asking.value === one.command}
      onClick={() => desk.take(incident.id, one.command)}>
      {labelOf(one, incident)}<kbd aria-hidden="true">{one.key.toUpperCase()}</kbd>
    </button>
  );
  const steps = commands.filter((one) => one.to !== null);
  return (
    <section class="actions" aria-label={t("actions")} aria-busy={busy}>
      {notice && <NoticeLine notice={notice} dismiss={() => desk.dismiss(incident.id)} />}
      <div class="action-line">
        {steps.map((one, place) => button(one, place === 0 ? "action usual" : "action"))}
        {busy && <span class="sending">{t("sending")}</span>}
      </div>
      <div class="action-line lesser">
        {commands.filter((one) => one.to === null).map((one) => button(one, "quiet-action"))}
        {incident.state !== "closed" && mayAct(role) && (
          <>
            <Opener desk={desk} what="silence" letter="q" />
            {may(role, "dispatcher") && <Opener desk={desk} what="merge" letter="m" />}
          </>
        )}
      </div>
      {form !== null && (
        <CommandForm key={form.command} wanted={form} before={incident} busy={busy} label={labelOf(form, incident)}
          cancel={() => (asking.value = null)}
          send={(words) => void desk.run(incident.id, form.command, words)} />
      )}
    </section>
  );
}

function Opener({ desk, what, letter }: { desk: Desk; what: "silence" | "merge"; letter: string }) {
  return (
    <button type="button" class="quiet-action" data-testid={`action-${what}`} aria-haspopup="dialog" aria-keyshortcuts={letter}
      onClick={() => (desk.opened.value = what)}>{w(what)}<kbd aria-hidden="true">{letter.toUpperCase()}</kbd></button>
  );
}

function labelOf(wanted: CommandSpec, incident: Incident): string {
  return t(wanted.command === "dispatch" && incident.state === "dispatched" ? "dispatch_again" : wanted.command);
}

function NoticeLine({ notice, dismiss }: { notice: Notice; dismiss: () => void }) {
  return (
    <div class={`notice ${notice.kind}`} role="alert" data-testid="notice" data-kind={notice.kind}>
      <span>{said(notice)}</span>
      <button type="button" class="link-button" onClick={dismiss}>{t("dismiss")}</button>
    </div>
  );
}

function said(notice: Notice): string {
  if (notice.kind === "failed") return `${t("failed", { what: t(notice.command) })} ${inWords(notice.error)}`;
  if (notice.last === null) return t("beaten_unknown");
  return t("beaten", { actor: actorName(notice.last.actor), what: known(notice.last.type) });
}
