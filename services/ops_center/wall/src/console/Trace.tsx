import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { Chart } from "../wall/Chart";
import { QUARTER_MS, bandOf, forecast, type Forecast } from "../wall/forecast";
import { history } from "../wall/history";
import { longestStep } from "../wall/trends";
import type { Desk } from "./desk";
import { Foretold } from "./Foretold";
import { t } from "./strings";
import { useOne } from "./task";

const HOURS = [1, 6, 24, 168];
const HOUR_MS = 3600_000;
const POINTS = 240;
const REDRAW_MS = 1000;

interface Line {
  at: number[];
  value: number[];
}

/** The past of one series with the limit it broke; it grows while one looks at it. `until`: its end, else now. */
export function Trace({ subject, metric, threshold, until, desk, title }: {
  subject: string; metric: string; threshold: number | null; until: number | null; desk: Desk; title: string;
}) {
  const hours = useSignal(1);
  const stamp = useSignal(0);
  const busy = useSignal(true);
  const line = useRef<Line>({ at: [], value: [] });
  const to = until ?? desk.board.now();
  const ahead = useOne<Forecast | null>(
    (signal) => until === null ? forecast(subject, metric, signal) : Promise.resolve(null),
    [subject, metric, until === null, Math.floor(to / QUARTER_MS)],
  ).value.value;
  const band = bandOf(ahead);
  const end = band === null ? to : to + aheadOf(hours.value) * HOUR_MS;
  useEffect(() => {
    let wanted = true;
    busy.value = true;
    history(subject, metric, to - hours.value * HOUR_MS, to, POINTS).catch(() => []).then((past) => {
      if (!wanted) return;
      line.current = { at: past.map((point) => point.at), value: past.map((point) => point.value) };
      append(line.current, desk, subject, metric);
      busy.value = false;
      stamp.value += 1;
    });
    return () => void (wanted = false);
  }, [subject, metric, hours.value, until, desk.board.epoch.value]);
  useEffect(() => {
    let drawn = 0;
    return desk.board.subscribe(() => {
      if (performance.now() - drawn < REDRAW_MS || !append(line.current, desk, subject, metric)) return;
      drawn = performance.now();
      stamp.value += 1;
    });
  }, [subject, metric]);
  const kind = desk.board.picture.metrics.get(metric);
  const enough = line.current.at.length > 0;
  return (
    <section class="trend" aria-label={title} data-testid="trend">
      <header>
        <h3>{title}</h3>
        {threshold !== null && enough && <small>{t("threshold_line")}</small>}
        <div class="spans" role="group" aria-label={title}>
          {HOURS.map((count) => (
            <button key={count} type="button" aria-pressed={hours.value === count} onClick={() => (hours.value = count)}>
              {count < 48 ? t("hours", { n: count }) : t("days", { n: count / 24 })}
            </button>
          ))}
        </div>
      </header>
      {enough
        ? <Chart stamp={`${stamp.value} ${ahead?.made_at ?? ""}`} scale={1} data={{
            ...line.current, range: [to - hours.value * HOUR_MS, end], band,
            longest: longestStep(kind?.interval_seconds, hours.value * HOUR_MS / POINTS),
            normal: [kind?.normal_low ?? null, kind?.normal_high ?? null], threshold,
          }} />
        : <p class="nothing">{t(busy.value ? "loading" : "history_none")}</p>}
      {ahead !== null && <Foretold found={ahead} unit={kind?.unit ?? ""} />}
    </section>
  );
}

/** So many hours ahead are shown beside so many hours of the past. */
function aheadOf(past: number): number {
  return Math.min(6, Math.max(1, past / 2));
}

/** Adds the newest reading if it is not there yet; true when it was added. */
function append(line: Line, desk: Desk, subject: string, metric: string): boolean {
  const { sensors, series } = desk.board.picture;
  const own = sensors.series[sensors.indexOf.get(subject) ?? -1] ?? [];
  const index = own.find((one) => series.metric[one] === metric);
  const at = index === undefined ? NaN : series.observedAt[index] ?? NaN;
  const value = index === undefined ? NaN : series.value[index] ?? NaN;
  if (Number.isNaN(value) || !(at > (line.at.at(-1) ?? 0))) return false;
  line.at.push(at);
  line.value.push(value);
  return true;
}
