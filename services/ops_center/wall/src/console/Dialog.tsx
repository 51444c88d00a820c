import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { ApiError } from "../api";
import { inWords } from "../login/wording";
import { f } from "./form-texts";

/** A modal dialog: the browser keeps the focus inside and gives it back. `wide`: for forms with a map. */
export function Dialog({ id, title, close, wide, children }: {
  id: string; title: string; close: () => void; wide?: boolean; children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null), begun = useRef(false);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  // What it shows may have to be asked for first.
  useEffect(() => {
    if (begun.current) return;
    const first = box.current?.querySelector<HTMLElement>("[data-first], form input:not([type=checkbox]):not(:disabled), form select, form textarea");
    first?.focus();
    begun.current = first != null;
  });
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

/** Ctrl+Enter sends the form, from wherever one is in it. */
export function sendOnEnter(event: JSX.TargetedKeyboardEvent<HTMLElement>): void {
  if (event.defaultPrevented || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.currentTarget.closest("form") ?? event.currentTarget.querySelector("form");
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
  // A dialog that closes now gives the focus back first.
  useEffect(() => {
    const frame = requestAnimationFrame(() => first.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
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
