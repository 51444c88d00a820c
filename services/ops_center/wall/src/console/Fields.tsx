/** Labelled fields over signals, so that a form is a list of them. */

import { useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";

import { f } from "./form-texts";

interface Named {
  id: string;
  label: string;
  hint?: string | undefined;
  /** What is wrong with it, or "". */
  fault?: string | undefined;
}

export function Field({ id, label, hint, fault, children }: Named & { children: ComponentChildren }) {
  return (
    <div class={fault ? "field missing" : "field"}>
      <label for={id}>{label}</label>
      {children}
      {hint && !fault && <small id={`${id}-hint`}>{hint}</small>}
      {fault && <p role="alert" id={`${id}-fault`}>{fault}</p>}
    </div>
  );
}

export function Text({ value, type = "text", list, ...named }: Named & {
  value: Signal<string>; type?: string; list?: readonly string[]; placeholder?: string; required?: boolean; disabled?: boolean;
}) {
  const { id, label, hint, fault, ...rest } = named;
  return (
    <Field id={id} label={label} hint={hint} fault={fault}>
      <input id={id} data-testid={id} type={type} value={value.value} autocomplete="off" maxLength={2000} {...rest}
        step={type === "number" ? "any" : undefined} list={list ? `${id}-list` : undefined}
        aria-invalid={fault ? true : undefined} onInput={(event) => (value.value = event.currentTarget.value)} />
      {list && <datalist id={`${id}-list`}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
    </Field>
  );
}

export function Prose({ value, rows = 3, code, ...named }: Named & {
  value: Signal<string>; rows?: number; code?: boolean; placeholder?: string; readOnly?: boolean;
}) {
  const { id, label, hint, fault, ...rest } = named;
  return (
    <Field id={id} label={label} hint={hint} fault={fault}>
      <textarea id={id} data-testid={id} rows={rows} class={code ? "code" : undefined} spellcheck={!code} maxLength={60_000}
        value={value.value} aria-invalid={fault ? true : undefined} {...rest}
        onInput={(event) => (value.value = event.currentTarget.value)} />
    </Field>
  );
}

export type Option = readonly [value: string, label: string];

export function Pick({ value, options, ...named }: Named & { value: Signal<string>; options: readonly Option[] }) {
  const { id } = named;
  return (
    <Field {...named}>
      <select id={id} data-testid={id} value={value.value} onChange={(event) => (value.value = event.currentTarget.value)}>
        {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
    </Field>
  );
}

/** Any number of them; none means all where `none` says so. One stop of the Tab key: arrows go on. */
export function Checks({ label, value, options, id, none }: {
  id: string; label: string; value: Signal<readonly string[]>; options: readonly Option[]; none?: string;
}) {
  const flip = (key: string): void => {
    value.value = value.value.includes(key) ? value.value.filter((one) => one !== key) : [...value.value, key];
  };
  const at = useSignal(0);
  const move = (event: JSX.TargetedKeyboardEvent<HTMLFieldSetElement>): void => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    at.value = (at.value + way + options.length) % options.length;
    event.currentTarget.querySelectorAll("input")[at.value]?.focus();
  };
  return (
    <fieldset class="checks" data-testid={id} onKeyDown={move}>
      <legend>{label}{none && value.value.length === 0 && <small>{none}</small>}</legend>
      {options.map(([key, name], place) => (
        <label key={key} class="check">
          <input type="checkbox" data-testid={`${id}-${key}`} tabIndex={place === at.value ? 0 : -1} onFocus={() => (at.value = place)} checked={value.value.includes(key)} onChange={() => flip(key)} />{name}
        </label>
      ))}
    </fieldset>
  );
}

/** The end of a form: what the server said, the button that sends it, and the way out. */
export function Send({ busy, label, id, cancel, children, danger }: {
  busy: boolean; label: string; id: string; cancel?: (() => void) | undefined; children?: ComponentChildren; danger?: boolean;
}) {
  return (
    <div class="command-line">
      <button type="submit" class={danger ? "plain danger" : "action usual"} aria-disabled={busy} data-testid={id}>{busy ? f("sending") : label}</button>
      {children}
      {cancel && <small class="send-hint">{f("send_hint")}</small>}
      {cancel && <button type="button" class="plain" onClick={cancel}>{f("cancel")}</button>}
    </div>
  );
}
