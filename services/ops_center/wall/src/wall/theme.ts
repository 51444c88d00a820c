/** Dark for a wall in a dim room, light grey for a bright one. */

import { signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEPT_AS = "yiwang.theme";

export const theme = signal<Theme>(first());
document.documentElement.dataset["theme"] = theme.value;

export function toggleTheme(): void {
  const next: Theme = theme.value === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = next;
  localStorage.setItem(KEPT_AS, next);
  theme.value = next;
}

function first(): Theme {
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "light" || asked === "dark") return asked;
  return localStorage.getItem(KEPT_AS) === "light" ? "light" : "dark";
}
