import { clock, minute, span } from "../wall/format";
import { WARNED_MS } from "./idle";
import { SPEEDS, type Reel } from "./reel";
import type { Screening, Stage } from "./stage";
import { t } from "./texts";

/** Where the replay stands, and everything that can be done with it. */
export function Bar({ stage, screening }: { stage: Stage; screening: Screening }) {
  const { reel } = screening;
  const { speed, playing, ended } = reel.standing.value;
  const left = stage.left.value;
  return (
    <footer class="replay-bar" data-testid="replay-bar">
      <div class="replay-name"><b>{t("replay")}</b><span>{t("not_live")}</span></div>
      <button type="button" aria-label={t("earlier")} title={t("earlier")}
        onClick={() => reel.steer({ at: reel.at.value - 60_000 })}>−1′</button>
      <button type="button" class="replay-play" data-testid="replay-play" title={t("keys")} disabled={ended}
        aria-label={t(playing ? "pause" : "play")} onClick={() => reel.steer({ playing: !playing })}>
        {playing ? <Pause /> : <Play />}
      </button>
      <button type="button" aria-label={t("later")} title={t("later")} disabled={ended}
        onClick={() => reel.steer({ step: 60 })}>+1′</button>
      <Scrubber reel={reel} />
      <div class="replay-speeds" role="group" aria-label={t("speed")}>
        {SPEEDS.map((one) => (
          <button type="button" key={one} aria-pressed={one === speed} onClick={() => reel.steer({ speed: one })}>
            {one}×
          </button>
        ))}
      </div>
      <button type="button" class="replay-back" data-testid="replay-back" onClick={() => stage.back()}>
        {left < WARNED_MS ? t("back_in", { span: span(left) }) : t("back")}
      </button>
    </footer>
  );
}

function Scrubber({ reel }: { reel: Reel }) {
  const { from, to, ended } = reel.standing.value;
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return (
    <div class="replay-scrubber">
      <time>{minute(start)}</time>
      <input type="range" min={start} max={end} step={1000} value={reel.at.value} data-testid="replay-scrubber"
        aria-label={t("position")} aria-valuetext={clock(reel.at.value)}
        style={{ "--done": `${(100 * (reel.at.value - start)) / Math.max(1, end - start)}%` }}
        onInput={(event) => reel.steer({ at: Number(event.currentTarget.value) })} />
      <time>{ended ? t("ended") : minute(end)}</time>
    </div>
  );
}

function Play() {
  return <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 4.5v15l12-7.5z" /></svg>;
}

function Pause() {
  return <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6.5 5h4v14h-4zM13.5 5h4v14h-4z" /></svg>;
}
