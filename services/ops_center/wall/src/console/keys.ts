/** One-key commands. They can be switched off, for voice input and stray hands. */

import { signal } from "@preact/signals";

import type { Incident } from "../live/protocol";
import { person, standing, type Role } from "../login/session";
import { may, mayAct, offered } from "./commands";
import type { Desk, Dialogue } from "./desk";
import { neighbour } from "./queue";
import { SETUP, WORK, route, show, type Page } from "./route";

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
    if (helping ? event.key === "?" && close(desk) : setUp(event) || act(desk, event.key)) event.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

/** Shift and a digit, wherever its sign stands on the keyboard: a page of the setup. */
function setUp(event: KeyboardEvent): boolean {
  const page = event.shiftKey ? SETUP[Number(/^Digit(\d)$/.exec(event.code)?.[1]) - 1] : undefined;
  return page !== undefined && turn(page);
}

function act(desk: Desk, key: string): boolean {
  if (key === "?") return open(desk, "help");
  const page = WORK[Number(key) - 1] ?? (key === String(WORK.length + 1) ? SETUP[0] : undefined);
  if (page !== undefined) return turn(page);
  if (key === "/") return focus("[data-search]");
  if (route.value.page === "incidents") return inQueue(desk, key);
  if (key === "n") return press("[data-new]");
  return (key === "j" || key === "k") && step(key === "j" ? 1 : -1);
}

function inQueue(desk: Desk, key: string): boolean {
  const role = person.value?.role ?? "";
  if (key === "j" || key === "k") return move(desk, key === "j" ? 1 : -1);
  const incident = desk.incident(desk.selected.value ?? "");
  if (mayAct(role) && onDuty(desk, key, role, incident)) return true;
  if (!incident) return false;
  const wanted = offered(incident, person.value).find((one) => one.key === key);
  if (!wanted) return false;
  desk.take(incident.id, wanted.command);
  return true;
}

/** What is for operators, beside the commands. */
function onDuty(desk: Desk, key: string, role: Role, incident: Incident | undefined): boolean {
  if (key === "i") return open(desk, "report");
  if (key === "e") return mark(desk);
  if (key === "m" && desk.marked.value.size > 1 && may(role, "dispatcher")) return open(desk, "merge");
  if (!incident) return false;
  if (key === "x") return desk.mark(incident.id), true;
  if (incident.state === "closed") return false;
  if (key === "q") return open(desk, "silence");
  return key === "m" && may(role, "dispatcher") && open(desk, "merge");
}

/** The focus goes along, so that Tab goes on within the page. */
function turn(page: Page): boolean {
  show(page);
  enterPage();
  return true;
}

/** Past the bar at the top. */
export function enterPage(): void {
  requestAnimationFrame(() => focus("main"));
}

/** To the first control of the next row of a table, or of the one before. */
function step(way: 1 | -1): boolean {
  const controls = [...document.querySelectorAll<HTMLElement>("main tbody tr")]
    .flatMap((row) => row.querySelector<HTMLElement>("a[href], button:not(:disabled)") ?? []);
  const row = document.activeElement?.closest("tr");
  const here = controls.findIndex((one) => one.closest("tr") === row);
  const next = here < 0 ? (way > 0 ? 0 : controls.length - 1) : here + way;
  controls[next]?.focus();
  return controls.length > 0;
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

function press(selector: string): boolean {
  const button = document.querySelector<HTMLElement>(selector);
  button?.click();
  return button !== null;
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
