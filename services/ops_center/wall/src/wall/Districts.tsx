import { named } from "../i18n";
import { PRIORITIES } from "../map/markers";
import { visit } from "../map/region";
import type { Board } from "./board";
import { map } from "./chosen";
import { districts, type District } from "./districts";
import { Shape } from "./Shape";
import type { Show } from "./show";
import { t } from "./texts";

/** The districts in their usual order: how many sensors, how many of them silent, what is open. */
export function Districts({ board, show }: { board: Board; show: Show }) {
  void board.beat.value;
  const all = districts(board.picture, show.top.value).filter((one) => show.covers(one.area.area_id));
  const most = Math.max(1, ...all.map((one) => one.sensors));
  return (
    <section class="rows" aria-label={t("districts")}>
      <h2>{t("districts")}</h2>
      <ol>
        {all.map((one) => <Row key={one.area.area_id} district={one} most={most} />)}
      </ol>
    </section>
  );
}

function Row({ district, most }: { district: District; most: number }) {
  const { area, sensors, known, silent, incidents } = district;
  const share = (count: number): string => `${(100 * count) / most}%`;
  return (
    <li>
      <button type="button" onClick={() => map.value && visit(map.value, area.area_id)}>
        <span class="row-name">{named(area)}</span>
        <span class="row-marks">
          {PRIORITIES.map((priority) => incidents[priority] > 0 && (
            <em key={priority}><Shape priority={priority} />{incidents[priority]}</em>
          ))}
          {PRIORITIES.every((priority) => incidents[priority] === 0) && (
            <small>{t("coverage", { fresh: known - silent, known: sensors })}</small>
          )}
        </span>
        <span class="share">
          <i class="fresh-part" style={{ width: share(known - silent) }} />
          <i class="silent-part" style={{ width: share(silent) }} />
          <i class="never-part" style={{ width: share(sensors - known) }} />
        </span>
      </button>
    </li>
  );
}
