/** One-key commands. They can be switched off, for voice input and stray hands. */

import { signal } from "@preact/signals";

import { person, standing } from "../login/session";
import { may, mayAct, possible } from "./commands";
import type { Desk, Dialogue } from "./desk";
import { neighbour } from "./queue";
import { SETUP, WORK, route, show } from "./route";

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

/** An open dialog keeps every key to itself, but for `?` over the help that it opened. */
export function listen(desk: Desk): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || standing.value !== "in") return;
    if (!keysOn.value || types(event.target)) return;
    const helping = desk.opened.value === "help";
    if (!helping && document.querySelector("dialog[open]")) return;
    if (helping ? event.key === "?" && close(desk) : act(desk, event.key)) event.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

function act(desk: Desk, key: string): boolean {
  if (key === "?") return open(desk, "help");
  const page = WORK[Number(key) - 1] ?? (key === String(WORK.length + 1) ? SETUP[0] : undefined);
  if (page !== undefined) return turn(page);
  if (key === "/") return focus("[data-search]");
  return route.value.page === "incidents" && inQueue(desk, key);
}

function inQueue(desk: Desk, key: string): boolean {
  const role = person.value?.role ?? "";
  if (key === "j" || key === "k") return move(desk, key === "j" ? 1 : -1);
  if (!mayAct(role)) return false;
  if (key === "i") return open(desk, "report");
  if (key === "e") return mark(desk);
  if (key === "m" && desk.marked.value.size > 1 && may(role, "dispatcher")) return open(desk, "merge");
  const incident = desk.incident(desk.selected.value ?? "");
  if (!incident) return false;
  if (key === "x") return desk.mark(incident.id), true;
  if (incident.state !== "closed" && key === "q") return open(desk, "silence");
  if (incident.state !== "closed" && key === "m" && may(role, "dispatcher")) return open(desk, "merge");
  const wanted = possible(incident.state, role).find((one) => one.key === key);
  if (!wanted) return false;
  desk.take(incident.id, wanted.command);
  return true;
}

function turn(page: (typeof WORK)[number]): boolean {
  show(page);
  return true;
}

function open(desk: Desk, what: Dialogue): boolean {
  desk.opened.value = what;
  return true;
}

function close(desk: Desk): boolean {
  desk.opened.value = null;
  return true;
}

/** Everything that is shown; once more: nothing. */
function mark(desk: Desk): boolean {
  const all = shownIds.value.every((id) => desk.marked.value.has(id));
  desk.marked.value = new Set(all ? [] : shownIds.value);
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
  const field = document.querySelector<HTMLElement>(selector);
  field?.focus();
  return field !== null;
}

function types(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
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
