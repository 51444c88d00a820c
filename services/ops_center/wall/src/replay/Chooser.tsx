import { useEffect, useState } from "preact/hooks";

import { get } from "../api";
import type { Incident } from "../live/protocol";
import { day, minute } from "../wall/format";
import { Shape } from "../wall/Shape";
import { LEAD_MS, fromInput, toInput, wishFrom } from "./moments";
import { SPEEDS, type Speed } from "./reel";
import type { Stage } from "./stage";
import { t } from "./texts";

const HOUR_MS = 3600_000;
const RECENT = 5;

/** From which moment, how fast: a moment by itself, or shortly before something happened. */
export function Chooser({ stage }: { stage: Stage }) {
  const now = stage.live.now();
  const [from, setFrom] = useState(toInput(now - HOUR_MS));
  const [speed, setSpeed] = useState<Speed>(60);
  const begin = (moment: number): void => {
    if (moment < now) stage.show(wishFrom(moment, now, speed));
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    begin(fromInput(from));
  };
  return (
    <form class="replay-chooser" role="dialog" aria-label={t("choose")} data-testid="replay-chooser" onSubmit={submit}>
      <h3>{t("choose")}</h3>
      {stage.problem.value !== null && <p role="alert">{t("failed", { why: stage.problem.value })}</p>}
      <label>
        {t("from")}
        <input type="datetime-local" value={from} max={toInput(now)} required autofocus data-testid="replay-from"
          onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <div class="replay-picks">
        <button type="button" onClick={() => setFrom(toInput(now - HOUR_MS))}>{t("hour_ago")}</button>
        <button type="button" onClick={() => setFrom(toInput(now - 24 * HOUR_MS))}>{t("day_ago")}</button>
        <div class="replay-speeds" role="group" aria-label={t("speed")}>
          {SPEEDS.map((one) => (
            <button type="button" key={one} aria-pressed={one === speed} onClick={() => setSpeed(one)}>{one}×</button>
          ))}
        </div>
      </div>
      <Recent begin={begin} />
      <div class="replay-choices">
        <button type="button" onClick={() => (stage.choosing.value = false)}>{t("cancel")}</button>
        <button type="submit" class="replay-start" data-testid="replay-start">{t("start")}</button>
      </div>
    </form>
  );
}

/** What happened last, each a beginning. */
function Recent({ begin }: { begin: (moment: number) => void }) {
  const [found, setFound] = useState<Incident[]>([]);
  useEffect(() => {
    get<{ items: Incident[] }>("/v1/incidents", { top: "true", limit: RECENT })
      .then(({ items }) => setFound(items))
      .catch(() => undefined); // A moment can be chosen without it.
  }, []);
  if (found.length === 0) return null;
  return (
    <section>
      <h4>{t("recent")}</h4>
      {found.map((incident) => {
        const at = Date.parse(incident.observed_at);
        return (
          <button type="button" key={incident.id} onClick={() => begin(at - LEAD_MS)}>
            <Shape priority={incident.priority} /><span>{incident.title}</span>
            <time>{day(at).split(" ")[0]} {minute(at)}</time>
          </button>
        );
      })}
    </section>
  );
}
