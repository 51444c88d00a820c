/** A replay by keyboard and remote control: before the wall's own keys. */

import type { Stage } from "./stage";

const MINUTE_MS = 60_000;

export function listen(stage: Stage): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const deed = deedOf(stage, event);
    if (deed === undefined) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deed();
  };
  addEventListener("keydown", press, true);
  return () => removeEventListener("keydown", press, true);
}

function deedOf(stage: Stage, event: KeyboardEvent): (() => void) | undefined {
  const { screening, choosing } = stage;
  if (choosing.value) return event.key === "Escape" ? () => void (choosing.value = false) : undefined;
  const showing = screening.value;
  if (showing === null) return event.key.toLowerCase() === "r" ? () => void (choosing.value = true) : undefined;
  const { reel } = showing;
  const minutes = event.shiftKey ? 10 : 1;
  switch (event.key) {
    case " ": case "MediaPlayPause":
      return () => reel.steer({ playing: !reel.standing.value.playing });
    case "ArrowLeft": case "MediaRewind":
      return () => reel.steer({ at: reel.at.value - minutes * MINUTE_MS });
    case "ArrowRight": case "MediaFastForward":
      return () => reel.steer({ step: 60 * minutes });
    case "r": case "R": case "MediaStop":
      return () => stage.back();
    default:
      return undefined;
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== "range" && target.type !== "radio";
}
