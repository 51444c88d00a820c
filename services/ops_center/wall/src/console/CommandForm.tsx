import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Priority } from "../live/protocol";
import { PRIORITIES } from "../map/markers";
import { lacks, type CommandSpec, type Words } from "./commands";
import { Pick, type Option } from "./Fields";
import { departmentOptions } from "./reference";
import { t, type Text } from "./strings";

export interface Before {
  category: string | null;
  department: string | null;
  grade: number;
  priority: Priority;
}

/** Hidden while the server is asked: if it says no, what was typed is still there. */
export function CommandForm({ wanted, before, label, busy, cancel, send }: {
  wanted: CommandSpec; before: Before; label: string; busy: boolean; cancel: () => void; send: (words: Words) => void;
}) {
  const note = useSignal(""), department = useSignal(before.department ?? "");
  const grade = useSignal(String(before.grade)), priority = useSignal(String(before.priority));
  const asked = useSignal(false);
  const first = useRef<HTMLFormElement>(null);
  useEffect(() => focusFirst(first.current), []);
  const scales = wanted.command === "regrade"
    ? { grade: Number(grade.value), priority: Number(priority.value) as Priority } : {};
  const words: Words = { note: note.value.trim(), ...scales };
  if (wanted.needsDepartment) words.department = department.value.trim();
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
          <Department held={department} options={departmentOptions(before.department, before.category)} />
        </Field>
      )}
      {wanted.command === "regrade" && (
        <div class="pair">
          <Pick id="command-priority" label={t("priority")} value={priority} options={scale("p")} />
          <Pick id="command-grade" label={t("grade")} value={grade} options={scale("grade_")} />
        </div>
      )}
      <Field name={wanted.needsNote ? noteName : `${noteName} · ${t("optional")}`} id="command-note"
        missing={asked.value && missing.includes("note")} what={noteName}>
        <textarea id="command-note" rows={2} maxLength={1000} data-testid="command-note" value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)} />
      </Field>
      <div class="command-line">
        <button type="submit" class="action usual" data-testid="command-confirm">{t("confirm", { what: label })}</button>
        <button type="button" class="plain" onClick={cancel}>{t("cancel")}</button>
        <small class="send-hint">{t("send_hint")}</small>
      </div>
    </form>
  );
}

function scale(prefix: "p" | "grade_"): Option[] {
  return PRIORITIES.map((step): Option => [String(step), t(`${prefix}${step}` as Text)]);
}

/** Those that exist; any name where none has been entered. */
function Department({ held, options }: { held: Signal<string>; options: readonly Option[] }) {
  const named = { id: "command-department", "data-testid": "command-department", value: held.value };
  const take = (event: JSX.TargetedEvent<HTMLInputElement | HTMLSelectElement>): void => void (held.value = event.currentTarget.value);
  if (options.length === 0) return <input {...named} maxLength={100} placeholder={t("department_hint")} autocomplete="off" onInput={take} />;
  return (
    <select {...named} onChange={take}>
      {held.value === "" && <option value="">{t("department_hint")}</option>}
      {options.map(([name, label]) => <option key={name} value={name}>{label}</option>)}
    </select>
  );
}

/** The first field that is still empty. */
function focusFirst(form: HTMLFormElement | null): void {
  const fields = [...form?.querySelectorAll<HTMLInputElement>("input, select, textarea") ?? []];
  (fields.find((field) => field.value === "") ?? fields[0])?.focus();
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
