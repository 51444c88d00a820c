/** One-key commands of the queue. They can be switched off, for voice input and stray hands. */

import { signal, type Signal } from "@preact/signals";

import { person, standing } from "../login/session";
import { mayAct, possible } from "./commands";
import type { Desk } from "./desk";
import { neighbour } from "./queue";
import { route } from "./route";

const KEPT_AS = "yiwang.keys";

export const keysOn = signal(kept());
/** Ids in the order the queue shows them. */
export const shownIds = signal<readonly string[]>([]);

export function setKeysOn(on: boolean): void {
  keysOn.value = on;
  try {
    localStorage.setItem(KEPT_AS, on ? "on" : "off");
  } catch {
    // A locked-down browser keeps the choice for this visit only.
  }
}

export function listen(desk: Desk, help: Signal<boolean>): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || standing.value !== "in") return;
    if (event.key === "Escape") help.value = false;
    if (!keysOn.value || types(event.target)) return;
    if (help.value ? event.key === "?" && toggle(help) : act(desk, help, event.key)) event.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

function act(desk: Desk, help: Signal<boolean>, key: string): boolean {
  if (key === "?") return toggle(help);
  if (route.value.page !== "incidents") return false;
  if (key === "j" || key === "k") return move(desk, key === "j" ? 1 : -1);
  if (key === "/") return focus("[data-search]");
  const incident = desk.incident(desk.selected.value ?? "");
  if (!incident || !mayAct(person.value?.role ?? "")) return false;
  const wanted = possible(incident.state).find((one) => one.key === key);
  if (!wanted) return false;
  desk.take(incident.id, wanted.command);
  return true;
}

function toggle(help: Signal<boolean>): boolean {
  help.value = !help.value;
  return true;
}

function move(desk: Desk, step: number): boolean {
  const next = neighbour(shownIds.value, desk.selected.value, step);
  if (next === null) return false;
  desk.select(next);
  requestAnimationFrame(() => {
    const row = document.querySelector(`[data-row="${CSS.escape(next)}"]`);
    row?.scrollIntoView({ block: "nearest" });
    // The focus follows where it was in the list, so that Tab goes on from here.
    if (document.activeElement?.closest("[data-row]")) row?.querySelector<HTMLElement>("button")?.focus();
  });
  return true;
}

function focus(selector: string): boolean {
  document.querySelector<HTMLElement>(selector)?.focus();
  return true;
}

function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT_AS) !== "off";
  } catch {
    return true;
  }
}
