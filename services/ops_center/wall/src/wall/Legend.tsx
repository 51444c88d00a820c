import { State } from "../live/protocol";
import type { Board } from "./board";
import { t } from "./texts";

/** What the dots mean, and how many sensors there are of each. */
export function Legend({ board }: { board: Board }) {
  void board.beat.value;
  const counts = new Array<number>(8).fill(0);
  board.picture.sensors.state.forEach((rank) => (counts[rank] = (counts[rank] ?? 0) + 1));
  const of = (rank: number): string => (counts[rank] ?? 0).toLocaleString("en-US");
  return (
    <ul class="legend">
      <li><i class="dot normal" />{t("normal")}<b>{of(State.normal)}</b></li>
      <li><i class="dot stale" />{t("stale")}<b>{of(State.stale)}</b></li>
      {(counts[State.bad] ?? 0) > 0 && <li><i class="dot bad" />{t("bad")}<b>{of(State.bad)}</b></li>}
      <li><i class="dot never" />{t("never")}<b>{of(State.never)}</b></li>
    </ul>
  );
}
