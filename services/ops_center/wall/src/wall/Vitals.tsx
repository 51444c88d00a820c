import { named } from "../i18n";
import { DOMAINS, State, type Priority } from "../live/protocol";
import type { Board } from "./board";
import { number, scaled } from "./format";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { SignHead, useSigns } from "./Signs";
import { t } from "./texts";
import { hasDomain } from "./view";
import { VITALS, position, vitals, type Vital } from "./vitals";

const SPREAD_HEIGHT = 14;

/** One analogue bar per vital sign, grouped by domain. Recomputed once a second. */
export function Vitals({ board, show }: { board: Board; show: Show }) {
  // The beat is what redraws: figures that change four times a second cannot be read.
  void board.beat.value;
  void board.epoch.value;
  const signOf = useSigns(board, show);
  const { sensors, series } = board.picture;
  const covered = (index: number): boolean => show.covers(sensors.areaId[series.sensor[index] as number] ?? null);
  const all = vitals(board.picture, VITALS, show.view.value?.area_id == null ? undefined : covered);
  return (
    <section class="vitals" aria-label={t("vitals")}>
      {DOMAINS.filter((domain) => hasDomain(show.view.value, domain)).map((domain) => (
        <div class="domain" key={domain}>
          <SignHead domain={domain} sign={signOf(domain)} board={board} />
          {all.filter((vital) => vital.spec.domain === domain).map((vital) => (
            <Tile key={vital.spec.metric} vital={vital} />
          ))}
        </div>
      ))}
    </section>
  );
}

function Tile({ vital }: { vital: Vital }) {
  const { spec, value, fresh, known, worst, alarms } = vital;
  const [figure, unit] = scaled(value ?? NaN, vital.unit);
  const priority = worst >= State.p4 ? ((State.p1 - worst + 1) as Priority) : null;
  return (
    <div class={`tile ${value === null ? "empty" : 2 * fresh < known ? "thin" : ""}`}>
      <div class="tile-name">
        <span>{named(spec)}</span>
        {priority !== null && <em><Shape priority={priority} />{alarms}</em>}
        {known > fresh && priority === null && <small>{t("coverage", { fresh, known })}</small>}
      </div>
      <div class="tile-value"><b>{number(figure)}</b><small>{unit}</small></div>
      <Bar vital={vital} priority={priority} />
    </div>
  );
}

/** Spread of all sensors above, normal range as the lighter stretch, the figure as a pointer. */
function Bar({ vital, priority }: { vital: Vital; priority: Priority | null }) {
  const { axis, normal, at, spread } = vital;
  const step = 100 / spread.length;
  return (
    <div class="bar">
      <svg viewBox={`0 0 100 ${SPREAD_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {spread.map((part, index) => part > 0 && (
          <rect key={index} x={index * step} width={step * 0.72}
            y={SPREAD_HEIGHT * (1 - Math.max(0.12, Math.sqrt(part)))}
            height={SPREAD_HEIGHT * Math.max(0.12, Math.sqrt(part))} />
        ))}
      </svg>
      <div class="track">
        {normal && (
          <i class="normal" style={{
            left: `${100 * position(normal[0], axis)}%`,
            right: `${100 - 100 * position(normal[1], axis)}%`,
          }} />
        )}
        {at !== null && (
          <i class={`pointer ${priority ? `p${priority}` : ""}`}
            style={{ left: `${100 * position(at, axis)}%` }} />
        )}
      </div>
    </div>
  );
}
