import { get } from "../../api";
import { minute } from "../../wall/format";
import { useOne } from "../task";
import { linesOf, scaleOf, type Moment } from "./past";
import { x } from "./texts";

const DAY_MS = 86_400_000;
const POINTS = 145; // ten minutes apart
const SIZE = { width: 600, height: 150, left: 34, bottom: 20, top: 8, right: 8 };
const BACK = [7, 1, 0] as const;
const NAMES = { 0: "past_now", 1: "line_yesterday", 7: "line_week" } as const;

interface Answered {
  resolution_seconds: number;
  items: Moment[];
}

/** The index of the last 24 hours over those of yesterday and of a week ago; gaps stay gaps. */
export function Past({ area, domain, now, beat }: { area: string; domain: string; now: number; beat: number }) {
  const past = useOne<Answered[]>((signal) => Promise.all(BACK.map((days) => get<Answered>(`/v1/vital-signs/${domain}/history`, {
    area_id: area, points: POINTS,
    from: new Date(now - (days + 1) * DAY_MS).toISOString(), to: new Date(now - days * DAY_MS).toISOString(),
  }, signal))), [area, domain, beat]);
  const found = past.value.value;
  if (found === null) return <div class="vital-past" />;
  const days = BACK.map((back, place) => ({ back, items: found[place]?.items ?? [] })).filter((one) => one.items.length > 0);
  if (days.length === 0) return <p class="soft vital-past">{x("no_past")}</p>;
  const [low, high] = scaleOf(days.flatMap((one) => one.items));
  const { width, height, left, bottom, top, right } = SIZE;
  const across = (at: number, back: number): number => left + (width - left - right) * (1 + (at + back * DAY_MS - now) / DAY_MS);
  const up = (index: number): number => top + (height - top - bottom) * (1 - (index - low) / (high - low));
  const marks = [low, (low + high) / 2, high], hours = [24, 18, 12, 6, 0].map((ago) => now - ago * 3_600_000);
  return (
    <figure class="vital-past">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={x("past")}>
        {marks.map((mark) => (
          <g key={mark}>
            <line x1={left} x2={width - right} y1={up(mark)} y2={up(mark)} />
            <text x={left - 6} y={up(mark) + 4} text-anchor="end">{mark}</text>
          </g>
        ))}
        {hours.map((at, place) => (
          <text key={place} x={across(at, 0)} y={height - 4} text-anchor={place === 0 ? "start" : place === 4 ? "end" : "middle"}>{minute(at)}</text>
        ))}
        {days.map(({ back, items }) => (
          <path key={back} class={`back-${back}`} d={linesOf(items, (at) => across(at, back), up)} />
        ))}
      </svg>
      <figcaption>{[...days].reverse().map(({ back }) => <span key={back} class={`back-${back}`}>{x(NAMES[back])}</span>)}</figcaption>
    </figure>
  );
}
