/** The theme's colours for code that cannot read CSS variables itself: the map and the charts. */

export type Palette = Record<
  "ground" | "panel" | "line" | "text" | "textSoft" | "textFaint" | "normal" | "range" | "p1" | "p2"
  | "p3" | "p4" | "onAlarm" | "land" | "landLine" | "water" | "lineStrong",
  string
>;

const VARIABLES: Record<keyof Palette, string> = {
  ground: "--ground", panel: "--panel", line: "--line", text: "--text", textSoft: "--text-soft",
  textFaint: "--text-faint", normal: "--normal", range: "--range", p1: "--p1", p2: "--p2",
  p3: "--p3", p4: "--p4", onAlarm: "--on-alarm", land: "--land", landLine: "--land-line",
  water: "--water", lineStrong: "--line-strong",
};

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]),
  ) as Palette;
}
