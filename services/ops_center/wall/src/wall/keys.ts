/** The wall by keyboard and by remote control, which sends the same arrows, Enter, Escape and figures. */

import { language, setLanguage } from "../i18n";
import { DOMAINS } from "../live/protocol";
import type { Board } from "./board";
import { cursor, flipGrid, flipLayer, help, hidden, map } from "./chosen";
import { caseAddress } from "./address";
import { SHOWN } from "./Incidents";
import type { Show } from "./show";
import { turnSide } from "./Side";
import { toggleTheme } from "./theme";

type Deed = (board: Board, show: Show) => void;

const DEEDS: Readonly<Record<string, Deed>> = {
  ArrowDown: (board, show) => move(board, show, 1),
  ArrowUp: (board, show) => move(board, show, -1),
  ArrowLeft: () => turnSide(-1),
  ArrowRight: () => turnSide(1),
  Enter: enter,
  Escape: escape,
  Backspace: escape,
  BrowserBack: escape,
  PageDown: (_, show) => show.step(1),
  PageUp: (_, show) => show.step(-1),
  ChannelUp: (_, show) => show.step(1),
  ChannelDown: (_, show) => show.step(-1),
  "0": () => void (hidden.value = []),
  g: flipGrid,
  t: toggleTheme,
  l: () => setLanguage(language.value === "zh" ? "en" : "zh"),
  f: () => void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  "+": () => map.value?.zoom(1),
  "=": () => map.value?.zoom(1),
  "-": () => map.value?.zoom(-1),
  Home: () => map.value?.home(),
  "?": () => void (help.value = !help.value),
  h: () => void (help.value = !help.value),
};

export function listen(board: Board, show: Show): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
    const domain = DOMAINS[Number(event.key) - 1];
    const deed = domain !== undefined ? () => flipLayer(domain) : deedOf(event.key);
    if (deed === undefined) return;
    // Whoever goes by Tab means the button under the focus, not the list.
    if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.closest("button, a")) return;
    event.preventDefault();
    deed(board, show);
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

function deedOf(key: string): Deed | undefined {
  return Object.hasOwn(DEEDS, key) ? DEEDS[key] : DEEDS[key.toLowerCase()];
}

function move(board: Board, show: Show, by: number): void {
  const ids = show.top.value.slice(0, SHOWN).map((incident) => incident.id);
  if (ids.length === 0) return;
  const at = ids.indexOf(cursor.value ?? "");
  const next = at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length;
  cursor.value = ids[next] ?? null;
  if (board.selection.value !== null) enter(board);
}

/** A card for what the cursor is on; the case itself for what has a card already. */
function enter(board: Board): void {
  const chosen = board.selection.value;
  if (chosen?.kind === "incident" && (cursor.value === null || cursor.value === chosen.id)) {
    location.assign(caseAddress(chosen.id));
  } else if (cursor.value !== null) {
    board.selection.value = { kind: "incident", id: cursor.value };
  }
}

/** One thing at a time: the help, the card, the cursor, the way back to the whole city. */
function escape(board: Board): void {
  if (help.value) help.value = false;
  else if (board.selection.value !== null) board.selection.value = null;
  else if (cursor.value !== null) cursor.value = null;
  else map.value?.home();
}
