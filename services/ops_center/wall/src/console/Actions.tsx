import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { person } from "../login/session";
import type { Incident } from "../live/protocol";
import { inWords } from "../login/wording";
import { lacks, mayAct, possible, specOf, type CommandSpec, type Words } from "./commands";
import { departmentsFor } from "./departments";
import type { Desk, Notice } from "./desk";
import { actorName, known, t, type Text } from "./strings";

/** What can be done now; the usual next step stands out. */
export function Actions({ incident, desk }: { incident: Incident; desk: Desk }) {
  const { asking } = desk;
  const busy = desk.guesses.value.has(incident.id);
  const notice = desk.notices.value.get(incident.id);
  const offered = possible(incident.state);
  const form = asking.value === null ? null : specOf(asking.value);
  useEffect(() => {
    if (form !== null && !busy && !form.from.includes(incident.state)) asking.value = null;
  }, [incident.state, busy]);
  if (!mayAct(person.value?.role ?? "")) return <p class="read-only">{t("read_only")}</p>;
  return (
    <section class="actions" aria-label={t("actions")} aria-busy={busy}>
      {notice && <NoticeLine notice={notice} dismiss={() => desk.dismiss(incident.id)} />}
      <div class="action-line">
        {offered.map((one, place) => (
          <button key={one.command} type="button" class={place === 0 ? "action usual" : "action"}
            data-testid={`action-${one.command}`} disabled={busy} aria-keyshortcuts={one.key}
            aria-expanded={one.atOnce ? undefined : asking.value === one.command}
            onClick={() => desk.take(incident.id, one.command)}>
            {labelOf(one, incident)}<kbd aria-hidden="true">{one.key.toUpperCase()}</kbd>
          </button>
        ))}
        {busy && <span class="sending">{t("sending")}</span>}
      </div>
      {form !== null && (
        <CommandForm key={form.command} wanted={form} incident={incident} busy={busy}
          cancel={() => (asking.value = null)}
          send={(words) => void desk.run(incident.id, form.command, words)} />
      )}
    </section>
  );
}

function labelOf(wanted: CommandSpec, incident: Incident): string {
  return t(wanted.command === "dispatch" && incident.state === "dispatched" ? "dispatch_again" : wanted.command);
}

/** Hidden while the server is asked: if it says no, what was typed is still there. */
function CommandForm({ wanted, incident, busy, cancel, send }: {
  wanted: CommandSpec; incident: Incident; busy: boolean; cancel: () => void; send: (words: Words) => void;
}) {
  const note = useSignal(""), department = useSignal(incident.department ?? "");
  const asked = useSignal(false);
  const first = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const fields = [...first.current?.querySelectorAll<HTMLInputElement>("input, textarea") ?? []];
    (fields.find((field) => field.value === "") ?? fields[0])?.focus();
  }, []);
  const words: Words = wanted.needsDepartment
    ? { note: note.value.trim(), department: department.value.trim() } : { note: note.value.trim() };
  const missing = lacks(wanted, words);
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (missing.length === 0) send(words);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape") cancel();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  const noteName = t(`note_${wanted.command}` as Text);
  return (
    <form class="command" ref={first} hidden={busy} onSubmit={submit} onKeyDown={press} noValidate data-testid={`form-${wanted.command}`}>
      {wanted.needsDepartment && (
        <Field name={t("department")} missing={asked.value && missing.includes("department")} id="command-department">
          <input id="command-department" list="departments" data-testid="command-department" maxLength={100}
            placeholder={t("department_hint")} value={department.value} autocomplete="off"
            onInput={(event) => (department.value = event.currentTarget.value)} />
          <datalist id="departments">
            {departmentsFor(incident.metric).map((name) => <option key={name} value={name} />)}
          </datalist>
        </Field>
      )}
      <Field name={wanted.needsNote ? noteName : `${noteName} · ${t("optional")}`} id="command-note"
        missing={asked.value && missing.includes("note")} what={noteName}>
        <textarea id="command-note" rows={2} maxLength={1000} data-testid="command-note" value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)} />
      </Field>
      <div class="command-line">
        <button type="submit" class="action usual" data-testid="command-confirm">
          {t("confirm", { what: labelOf(wanted, incident) })}
        </button>
        <button type="button" class="plain" onClick={cancel}>{t("cancel")}</button>
      </div>
    </form>
  );
}

function Field({ name, id, missing, what, children }: {
  name: string; id: string; missing: boolean; what?: string; children: preact.ComponentChildren;
}) {
  return (
    <div class={missing ? "field missing" : "field"}>
      <label for={id}>{name}</label>
      {children}
      {missing && <p role="alert">{t("required", { what: what ?? name })}</p>}
    </div>
  );
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
