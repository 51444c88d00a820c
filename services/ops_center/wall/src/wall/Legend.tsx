import { State } from "../live/protocol";
import type { Board } from "./board";
import type { Show } from "./show";
import { whole } from "./format";
import { t } from "./texts";

/** What the dots mean, and how many sensors there are of each. */
export function Legend({ board, show }: { board: Board; show: Show }) {
  void board.beat.value;
  const { sensors } = board.picture;
  const counts = new Array<number>(8).fill(0);
  sensors.state.forEach((rank, index) => {
    if (show.covers(sensors.areaId[index] ?? null)) counts[rank] = (counts[rank] ?? 0) + 1;
  });
  const of = (rank: number): string => whole(counts[rank] ?? 0);
  return (
    <ul class="legend">
      <li><i class="dot normal" />{t("normal")}<b>{of(State.normal)}</b></li>
      <li><i class="dot stale" />{t("stale")}<b>{of(State.stale)}</b></li>
      {(counts[State.bad] ?? 0) > 0 && <li><i class="dot bad" />{t("bad")}<b>{of(State.bad)}</b></li>}
      <li><i class="dot never" />{t("never")}<b>{of(State.never)}</b></li>
    </ul>
  );
}
