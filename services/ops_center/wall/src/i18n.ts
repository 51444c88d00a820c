/** Chinese first, English second, switched while running. */

import { signal } from "@preact/signals";

export type Language = "zh" | "en";

const KEPT_AS = "yiwang.language";

/** The language every text is drawn in; reading it in a component redraws on a switch. */
export const language = signal<Language>(firstLanguage());
tellDocument();

export function setLanguage(next: Language): void {
  language.value = next;
  tellDocument();
  try {
    localStorage.setItem(KEPT_AS, next);
  } catch {
    // A locked-down browser keeps the choice for this visit only.
  }
}

/** Readers of the page, and its style sheets, go by this. */
function tellDocument(): void {
  if (typeof document !== "undefined") document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
}

type Values = Record<string, string | number>;

/** A page's texts: `const t = messages({…zh}, {…en}); t("key", {n: 3})` fills `{n}`. */
export function messages<K extends string>(
  zh: Record<K, string>, en: Record<K, string>,
): (key: K, values?: Values) => string {
  return (key, values) => {
    const text = (language.value === "zh" ? zh : en)[key];
    if (!values) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
}

/** The name of a thing that has both, in the present language. */
export function named(thing: { name_zh: string; name_en: string } | null | undefined): string {
  if (!thing) return "";
  return language.value === "zh" ? thing.name_zh : thing.name_en || thing.name_zh;
}

function firstLanguage(): Language {
  if (typeof location === "undefined") return "zh";
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === "zh" || asked === "en") return asked;
  try {
    return localStorage.getItem(KEPT_AS) === "en" ? "en" : "zh";
  } catch {
    return "zh";
  }
}
