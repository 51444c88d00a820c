/** Dark for a wall in a dim room, light grey for a bright one. */

import { signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEPT_AS = "yiwang.theme";

export const theme = signal<Theme>(first());
document.documentElement.dataset["theme"] = theme.value;

export function setTheme(next: Theme): void {
  document.documentElement.dataset["theme"] = next;
  theme.value = next;
}

export function toggleTheme(): void {
  setTheme(theme.value === "dark" ? "light" : "dark");
  localStorage.setItem(KEPT_AS, theme.value);
}

function first(): Theme {
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "light" || asked === "dark") return asked;
  return localStorage.getItem(KEPT_AS) === "light" ? "light" : "dark";
}
