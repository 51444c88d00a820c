/** Which page of the console is shown: the part of the address after `#`. */

import { signal } from "@preact/signals";

export type Page =
  | "incidents" | "silences" | "sensors" | "duty" | "performance" | "tasks" | "vitals"
  | "rules" | "push" | "keys" | "grants" | "quarantine" | "catalogue" | "users" | "audit" | "neighbours";

/** What people work with day by day; a digit opens each. */
export const WORK: readonly Page[] = ["incidents", "silences", "sensors", "duty", "performance", "tasks", "vitals"];
/** What is set up once, and looked after. */
export const SETUP: readonly Page[] = ["rules", "push", "keys", "quarantine", "users", "audit", "grants", "catalogue", "neighbours"];
export const PAGES: readonly Page[] = [...WORK, ...SETUP];

export interface Route {
  page: Page;
  /** What is open on it, such as an incident's id. */
  item: string | null;
}

/** `#/incidents/<id>`, or the same without the first slash → its parts; anything else is the queue. Pure. */
export function parseRoute(hash: string): Route {
  const [name = "", item = ""] = hash.replace(/^#\/?/, "").split("/");
  const page = PAGES.find((one) => one === name) ?? "incidents";
  return { page, item: item === "" ? null : safeDecode(item) };
}

/** With a slash: `#name` alone is the address of a place on the same page, such as a skip link has. */
export function hashOf(page: Page, item: string | null = null): string {
  return `#/${page}${item === null ? "" : `/${encodeURIComponent(item)}`}`;
}

export const route = signal<Route>(parseRoute(globalThis.location?.hash ?? ""));

export function followAddress(): () => void {
  const follow = (): void => void (route.value = parseRoute(location.hash));
  addEventListener("hashchange", follow);
  return () => removeEventListener("hashchange", follow);
}

/** Shows a page; moving through the queue leaves no trail of history behind. */
export function show(page: Page, item: string | null = null): void {
  const target = hashOf(page, item);
  if (page === route.value.page) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  route.value = { page, item };
}

function safeDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
