import { language, named, setLanguage } from "../i18n";
import type { Priority } from "../live/protocol";
import { PRIORITIES } from "../map/markers";
import { ReplayButton, ReplayState } from "../replay/ReplayState";
import type { Board } from "./board";
import { clock, day, facts, span } from "./format";
import { Shape } from "./Shape";
import { t } from "./texts";
import { theme, toggleTheme } from "./theme";

const SLOW_MS = 3000;

/** City, open incidents by priority, how old the data is, and the time. */
export function Strip({ board }: { board: Board }) {
  return (
    <header class="strip">
      <div class="strip-city">
        <span class="mark">一网</span>
        <span class="city">{named(board.city.value) || " "}</span>
        <span class="title">{t("title")}</span>
      </div>
      <Counts board={board} />
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

function Counts({ board }: { board: Board }) {
  const counts = new Map<Priority, number>(PRIORITIES.map((priority) => [priority, 0]));
  for (const { priority } of board.top.value) counts.set(priority, (counts.get(priority) ?? 0) + 1);
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
  const latency = pulse.value?.latency_ms?.p50;
  const lag = pulse.value?.lag_ms ?? 0;
  return (
    <div class={`link ${bad ? "bad" : ""}`} role="status">
      <span class="live"><i />{link.value === "live" && adrift.value ? t("lost") : t(link.value)}</span>
      <span class="age">
        {age}
        {!bad && lag > SLOW_MS && <em>{facts(" ", t("slow", { span: span(lag) }))}</em>}
        {!bad && lag <= SLOW_MS && typeof latency === "number" &&
          facts(" ", t("latency", { ms: Math.round(latency) }))}
      </span>
    </div>
  );
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
