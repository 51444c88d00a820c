import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { ApiError } from "../api";
import { inWords } from "../login/wording";
import { f } from "./form-texts";

/** A modal dialog: the browser keeps the focus inside and gives it back. `wide`: for forms with a map. */
export function Dialog({ id, title, close, wide, children }: {
  id: string; title: string; close: () => void; wide?: boolean; children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    const first = dialog?.querySelector<HTMLElement>("[data-first], form input:not([type=checkbox]):not(:disabled), form select, form textarea");
    first?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog class={wide ? "sheet-dialog wide" : "sheet-dialog"} ref={box} aria-labelledby={`${id}-title`}
      onCancel={(event) => { event.preventDefault(); close(); }} onKeyDown={sendOnEnter} data-testid={id}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <button type="button" class="plain" aria-label={f("close")} onClick={close} data-testid={`${id}-close`}>×</button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** Ctrl+Enter sends the form that one is in, from any of its fields. */
export function sendOnEnter(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target instanceof Element ? event.target.closest("form") : null;
  if (form === null) return;
  event.preventDefault();
  form.requestSubmit();
}

/** What the server said no to, each of its complaints on a line. */
export function Failure({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const more = error instanceof ApiError && Array.isArray(error.problem["errors"])
    ? (error.problem["errors"] as { pointer?: string; detail?: string }[]).slice(1) : [];
  return (
    <div class="problem" role="alert" data-testid="failure">
      <p>{inWords(error)}</p>
      {more.map((one) => <p key={one.pointer}><code>{one.pointer}</code> {one.detail}</p>)}
    </div>
  );
}

/** A secret that the server never shows again. */
export function Once({ title, secret, done, copied, copy }: {
  title: string; secret: string; done: () => void; copied: boolean; copy: () => void;
}) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="secret" role="status" data-testid="once">
      <b>{f("once")}</b>
      <p>{title}</p>
      <code data-testid="once-secret">{secret}</code>
      <div class="command-line">
        <button type="button" class="action" ref={first} onClick={copy}>{f(copied ? "copied" : "copy")}</button>
        <button type="button" class="action usual" onClick={done} data-testid="once-kept">{f("kept")}</button>
      </div>
    </div>
  );
}
