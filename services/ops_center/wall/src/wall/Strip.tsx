import { language, named, setLanguage } from "../i18n";
import type { Priority, PulseFrame } from "../live/protocol";
import { PRIORITIES } from "../map/markers";
import { ReplayButton, ReplayState } from "../replay/ReplayState";
import type { Board } from "./board";
import { clock, day, span } from "./format";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { t } from "./texts";
import { theme, toggleTheme } from "./theme";
import type { ShownView } from "./view";

const SLOW_MS = 3000;

/** City, open incidents by priority, how old the data is, and the time. */
export function Strip({ board, show }: { board: Board; show: Show }) {
  void board.epoch.value; // the areas' names come with the picture
  const view = show.view.value;
  const turns = show.views.value.length;
  return (
    <header class="strip">
      <div class="strip-city">
        <span class="mark">一网</span>
        <span class="city">{named(board.city.value) || " "}</span>
        <span class="title">{view?.name || viewArea(board, view) || t("title")}</span>
        {turns > 1 && <span class="turn">{show.turn.value + 1}/{turns}</span>}
      </div>
      <Counts show={show} />
      <div class="strip-link">
        <LinkState board={board} />
        <div class="controls">
          {board.reel === null && <ReplayButton />}
          <button type="button" onClick={() => setLanguage(language.value === "zh" ? "en" : "zh")}>
            {t("language")}
          </button>
          <button type="button" onClick={toggleTheme}>
            {theme.value === "dark" ? t("theme_light") : t("theme_dark")}
          </button>
        </div>
        <Clock board={board} />
      </div>
    </header>
  );
}

function Counts({ show }: { show: Show }) {
  const counts = new Map<Priority, number>(PRIORITIES.map((priority) => [priority, 0]));
  for (const { priority } of show.top.value) counts.set(priority, (counts.get(priority) ?? 0) + 1);
  return (
    <ul class="counts" aria-label={t("incidents")}>
      {PRIORITIES.map((priority) => {
        const count = counts.get(priority) ?? 0;
        return (
          <li key={priority} class={count === 0 ? "none" : ""}>
            <Shape priority={priority} quiet={count === 0} />
            <b>{count}</b>
            <span>{t(`p${priority}`)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function LinkState({ board }: { board: Board }) {
  const { link, adrift, beat, newestAt, pulse } = board;
  if (board.reel !== null) return <ReplayState board={board} reel={board.reel} />;
  const bad = adrift.value || (link.value !== "live" && link.value !== "connecting");
  const age = Number.isNaN(newestAt.value)
    ? t("no_data") : t("data_age", { span: span(beat.value - newestAt.value) });
  const lag = pulse.value?.lag_ms ?? 0;
  const way = bad ? null : wayOf(pulse.value);
  return (
    <div class={`link ${bad ? "bad" : ""}`} role="status">
      <span class="live">
        <i />{link.value === "live" && adrift.value ? t("lost") : t(link.value)}
        <span class="age">{age}</span>
      </span>
      {!bad && lag > SLOW_MS && <em>{t("slow", { span: span(lag) })}</em>}
      {way !== null && lag <= SLOW_MS && (
        <span class="way" title={t("to_screen")}>
          {t("delay")}
          {SHARES.map((share) => typeof way[share] === "number" && (
            <span key={share}>{t(share)} <b>{Math.round(way[share])}</b></span>
          ))}
          {t("ms")}
        </span>
      )}
    </div>
  );
}

const SHARES = ["p50", "p95", "p99"] as const;
type Way = Partial<Record<(typeof SHARES)[number], number | null>>;

/** How long readings took on their way: to the painted picture where the server knows it, else to the socket. */
function wayOf(pulse: PulseFrame | null): Way | null {
  const shown = pulse?.hops?.shown;
  const way = typeof shown?.p50 === "number" ? shown : pulse?.latency_ms ?? null;
  return typeof way?.p50 === "number" ? way : null;
}

function viewArea(board: Board, view: ShownView | null): string {
  return view?.area_id == null ? "" : named(board.picture.areas.get(view.area_id));
}

function Clock({ board }: { board: Board }) {
  const now = board.beat.value;
  return (
    <div class="clock">
      <time>{clock(now)}</time>
      <span>{day(now)}</span>
    </div>
  );
}
