import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { ApiError, get, post, remove, upload, put } from "../../api";
import { person } from "../../login/session";
import { may } from "../commands";
import { Dialog, Failure } from "../Dialog";
import { Prose, Send, Text } from "../Fields";
import { moment } from "../moment";
import type { Answer } from "../paging";
import { said } from "../reference";
import type { Rule, RuleDocument } from "../rule";
import { Sure } from "../Sure";
import { useOne, useTask, type Task } from "../task";
import { EMPTY, faults, toDocument, toForm, type RuleForm } from "./form";
import { Preview } from "./Preview";
import { RuleFields } from "./RuleFields";
import { r } from "./texts";
import { Trial } from "./Trial";

/** A rule in a form or as YAML, with a preview, a test, and its versions. `id` null: a new one. */
export function RuleDialog({ id, close, changed }: { id: string | null; close: () => void; changed: () => void }) {
  const rule = useOne<Rule | null>((signal) => id === null ? Promise.resolve(null) : get(`/v1/rules/${encodeURIComponent(id)}`, {}, signal), [id]);
  const known = rule.value.value;
  const title = id === null ? r("new") : r("edit", { title: known === null ? id : said(known.document.title) });
  return (
    <Dialog id="rule-dialog" title={title} close={close} wide>
      <Failure error={rule.error.value} />
      {(id === null || known !== null) && (
        <Editor key={known?.version ?? 0} rule={known} close={close} changed={() => { changed(); rule.reload(); }} />
      )}
    </Dialog>
  );
}

function Editor({ rule, close, changed }: { rule: Rule | null; close: () => void; changed: () => void }) {
  const first = rule === null ? EMPTY : toForm(rule.document);
  const form = useSignal<RuleForm | null>(first), text = useSignal(""), mode = useSignal<"form" | "yaml">(first === null ? "yaml" : "form");
  const note = useSignal(""), asked = useSignal(false), wrong = useSignal("");
  const base = rule === null ? null : rule.document;
  const task = useTask();
  const admin = may(person.value?.role ?? "", "admin");
  useEffect(() => void (first === null && base !== null && written(base).then((yaml) => (text.value = yaml))), []);
  const draft = (): RuleDocument | string | null => {
    if (mode.value === "yaml") return text.value;
    asked.value = true;
    const now = form.value;
    return now === null || faults(now).size > 0 ? null : { ...toDocument(now, base), ...(rule && { version: rule.version }) };
  };
  const turn = async (to: "form" | "yaml"): Promise<void> => {
    wrong.value = "";
    if (to === mode.value) return;
    if (to === "yaml") text.value = await written(toDocument(form.value ?? EMPTY, base));
    else if (!await readBack(text.value, form, wrong)) return;
    mode.value = to;
  };
  const save = (event: Event): void => {
    event.preventDefault();
    const asked = draft();
    if (asked === null) return;
    void task.run(async () => {
      await keepRule(rule, asked, note.value.trim());
      changed();
      if (rule === null) close();
    });
  };
  return (
    <form class="split rule-editor" noValidate onSubmit={save}>
      <div class="stack">
        {rule?.file && <p class="soft">{r("file", { file: rule.file })}</p>}
        <div class="modes" role="group" aria-label={r("edit", { title: "" })}>
          <button type="button" aria-pressed={mode.value === "form"} data-testid="rule-mode-form" onClick={() => void turn("form")}>{r("form")}</button>
          <button type="button" aria-pressed={mode.value === "yaml"} data-testid="rule-mode-yaml" onClick={() => void turn("yaml")}>{r("yaml")}</button>
        </div>
        {wrong.value !== "" && <p class="problem" role="alert">{wrong.value}</p>}
        {mode.value === "form" && form.value !== null
          ? <RuleFields form={form as Signal<RuleForm>} asked={asked.value} fixed={rule !== null} />
          : <Prose id="rule-yaml" label={r("yaml")} rows={22} code value={text} />}
        {admin ? (
          <>
            <Text id="rule-note" label={r("note")} value={note} />
            <Refusal task={task} />
            <Send busy={task.busy.value} label={r(rule === null ? "save_new" : "save")} id="rule-save" cancel={close}>
              {rule !== null && <Switches rule={rule} task={task} note={note.value} close={close} changed={changed} />}
            </Send>
          </>
        ) : <p class="soft">{r("admin_only")}</p>}
      </div>
      <div class="stack">
        {admin && <Trial draft={draft} form={mode.value === "form" ? form.value : null} metric={mode.value === "form" ? form.value?.metric ?? "" : metricOf(text.value)} />}
        {admin && <Preview draft={draft} />}
        {rule !== null && <Versions rule={rule} />}
      </div>
    </form>
  );
}

/** Where it is wrong, in words of the server's. */
function Refusal({ task }: { task: Task }) {
  const error = task.failure.value;
  if (error instanceof ApiError && error.code === "stale") return <p class="problem" role="alert">{r("stale")}</p>;
  const line = error instanceof ApiError ? error.problem["line"] : undefined;
  return (
    <>
      <Failure error={error} />
      {typeof line === "number" && <p class="soft">{r("refused_line", { line })}</p>}
    </>
  );
}

function Switches({ rule, task, note, close, changed }: { rule: Rule; task: Task; note: string; close: () => void; changed: () => void }) {
  const path = `/v1/rules/${encodeURIComponent(rule.id)}`;
  const flip = (): void => void task.run(() =>
    post(`${path}/${rule.enabled ? "disable" : "enable"}`, { note, version: rule.version }).then(changed));
  const retire = (): void => void task.run(async () => {
    await remove(`${path}?version=${rule.version}&note=${encodeURIComponent(note)}`);
    changed();
    close();
  });
  return (
    <>
      <button type="button" class="plain" aria-disabled={task.busy.value} data-testid="rule-switch" onClick={flip}>{r(rule.enabled ? "switch_off" : "switch_on")}</button>
      <Sure id="rule-retire" label={r("retire")} question={r("retire_sure")} act={retire} />
    </>
  );
}

function Versions({ rule }: { rule: Rule }) {
  const all = useOne<Answer<Rule>>((signal) => get(`/v1/rules/${encodeURIComponent(rule.id)}/versions`, { limit: 20 }, signal), [rule.id, rule.version]);
  return (
    <section class="card" aria-labelledby="versions-title">
      <h3 id="versions-title">{r("versions")}</h3>
      <ul class="lines">
        {(all.value.value?.items ?? []).map((one) => (
          <li key={one.version}>
            <b>{r("version", { n: one.version })}</b>
            <small>{r("by", { author: one.author, at: moment(one.created_at, Date.now()) })} {one.note}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** POST makes one, PUT edits the version that was seen. */
function keepRule(rule: Rule | null, draft: RuleDocument | string, note: string): Promise<unknown> {
  const query = note === "" ? "" : `?note=${encodeURIComponent(note)}`;
  if (rule === null) return typeof draft === "string" ? upload(`/v1/rules${query}`, draft, "application/yaml") : post(`/v1/rules${query}`, draft);
  return parsed(draft).then((document) => put(`/v1/rules/${encodeURIComponent(rule.id)}${query}`, { ...document, version: rule.version }));
}

async function parsed(draft: RuleDocument | string): Promise<RuleDocument> {
  return typeof draft === "string" ? (await import("yaml")).parse(draft) as RuleDocument : draft;
}

async function written(document: RuleDocument): Promise<string> {
  const { version: _, ...said } = document;
  return (await import("yaml")).stringify(said, { flowCollectionPadding: false });
}

/** True when the YAML is one that the form can show. */
async function readBack(text: string, form: Signal<RuleForm | null>, wrong: Signal<string>): Promise<boolean> {
  try {
    const shown = toForm(await parsed(text));
    if (shown === null) wrong.value = r("beyond");
    else form.value = shown;
    return shown !== null;
  } catch (error) {
    wrong.value = r("bad_yaml", { why: (error as Error).message.split("\n")[0] ?? "" });
    return false;
  }
}

function metricOf(yaml: string): string {
  return /^metric:\s*["']?([\w.]+)/m.exec(yaml)?.[1] ?? "";
}
