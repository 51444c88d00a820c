import { facts } from "../wall/format";
import type { Board } from "../wall/board";
import { choosing } from "./choosing";
import type { Reel } from "./reel";
import { t } from "./texts";

/** On the strip, where the present says "live". */
export function ReplayState({ board, reel }: { board: Board; reel: Reel }) {
  const { speed, playing, ended } = reel.standing.value;
  const lost = board.adrift.value || board.link.value === "lost";
  const doing = ended ? t("ended") : playing ? `${speed}×` : t("pause");
  return (
    <div class={`link replayed ${lost ? "bad" : ""}`} role="status" data-testid="replay-state">
      <span class="live"><i />{facts(t("replay"), doing)}</span>
      <span class="age">{lost ? t("lost") : t("not_live")}</span>
    </div>
  );
}

/** The way in. */
export function ReplayButton() {
  return (
    <button type="button" data-testid="replay-open" title="R" onClick={() => (choosing.value = !choosing.value)}>
      {t("replay")}
    </button>
  );
}
