import { language, named } from "../i18n";
import type { NeighbourCity, NeighbourWarning } from "../live/neighbours";
import { lookBeside } from "../map/region";
import type { Board } from "./board";
import { map } from "./chosen";
import { facts, minute, span } from "./format";
import { holding, outlines, priorityOf } from "./neighbours";
import { t } from "./texts";

const SHOWN = 3;
const HOURS_SHOWN = 12; // later than that a time of day could be today's

/** What neighbouring cities warn of: theirs, not ours, and so apart from our incidents. Nothing where nothing holds. */
export function Neighbours({ board }: { board: Board }) {
  const known = board.neighbours.value;
  if (known === null) return null;
  const now = board.beat.value;
  const warnings = known.warnings.filter(holding(now));
  const silent = known.cities.filter((city) => city.silent);
  if (warnings.length + silent.length === 0) return null;
  const city = (adcode: number): NeighbourCity | undefined => known.cities.find((one) => one.adcode === adcode);
  return (
    <section class="neighbours" aria-label={t("neighbours")} data-testid="neighbours">
      <h3>{t("neighbours")}{warnings.length > SHOWN && <small>+{warnings.length - SHOWN} {t("others")}</small>}</h3>
      <ul>
        {warnings.slice(0, SHOWN).map((warning) => (
          <Warning key={warning.identifier} warning={warning} city={named(city(warning.adcode))} now={now} />
        ))}
        {silent.map((one) => <Silent key={one.adcode} city={one} now={now} />)}
      </ul>
    </section>
  );
}

function Warning({ warning, city, now }: { warning: NeighbourWarning; city: string; now: number }) {
  const zh = language.value === "zh";
  const until = Date.parse(warning.expires_at);
  const far = until - now > HOURS_SHOWN * 3_600_000;
  return (
    <li>
      <button type="button" class={`p${priorityOf(warning)}`} data-testid={`neighbour-${warning.identifier}`}
        onClick={() => map.value && lookBeside(map.value, outlines([warning], now))}>
        <b class="origin">{city}</b>
        <span class="headline">{warning.exercise && <em>{t("exercise")}</em>}{zh ? warning.headline_zh : warning.headline_en}</span>
        <span class="facts">
          {facts(t("since_n", { span: span(now - Date.parse(warning.since)) }),
            far ? t("holds_for", { span: span(until - now) }) : t("holds_until", { at: minute(until) }))}
        </span>
      </button>
    </li>
  );
}

/** No warning from a city that says nothing is no good news. */
function Silent({ city, now }: { city: NeighbourCity; now: number }) {
  const said = city.heard_at === null
    ? t("never_heard") : t("not_heard", { span: span(now - Date.parse(city.heard_at)) });
  return <li class="silent"><b class="origin">{named(city)}</b><span>{said}</span></li>;
}
