import { useEffect, useRef, useState } from "preact/hooks";

import type { Board } from "./board";
import { Districts } from "./Districts";
import { Health } from "./Health";
import { START, interrupted, stepped, turnSeconds, turned, type Rotation } from "./rotation";
import type { Show } from "./show";
import { t } from "./texts";
import { SIDES, hasPanel, type Side as Page } from "./view";
import { Vitals } from "./Vitals";

const SECONDS = turnSeconds(new URLSearchParams(location.search).get("rotate"));

/** The left column: its panels in turn. `flood`: nothing turns. */
export function Side({ board, show, flood }: { board: Board; show: Show; flood: boolean }) {
  const pages = SIDES.filter((side) => hasPanel(show.view.value, side));
  const [rotation, setRotation] = useState<Rotation>(START);
  void board.beat.value;
  const now = Date.now(); // this machine's time: a replay's leaps
  const held = flood || board.selection.value !== null || board.adrift.value;
  useEffect(() => setRotation((before) => turned(before, now, pages.length, SECONDS, held)), [now, held, pages.length]);
  useUrgent(show, () => setRotation(interrupted(Date.now())));
  useEffect(() => {
    const turn = (event: Event): void =>
      setRotation((before) => stepped(before, Date.now(), pages.length, (event as CustomEvent<number>).detail));
    addEventListener(TURN, turn);
    return () => removeEventListener(TURN, turn);
  }, [pages.length]);
  if (pages.length === 0) return <section class="side" />;
  const page = pages[rotation.page % pages.length] as Page;
  return (
    <div class="side">
      {page === "vitals" && <Vitals board={board} show={show} />}
      {page === "districts" && <Districts board={board} show={show} />}
      {page === "health" && <Health board={board} show={show} />}
      {pages.length > 1 && (
        <ul class="pages" aria-label={t("key_side")}>
          {pages.map((one, place) => (
            <li key={one}>
              <button type="button" aria-label={t(one)} aria-pressed={one === page}
                onClick={() => turnSide(place - pages.indexOf(page))} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const TURN = "yiwang.side";

/** So many panels on. */
export function turnSide(by: number): void {
  dispatchEvent(new CustomEvent(TURN, { detail: by }));
}

/** Runs when an incident of priority 1 is there that was not; not for those met at first. */
function useUrgent(show: Show, run: () => void): void {
  const seen = useRef<Set<string> | null>(null);
  const urgent = show.top.value.filter((incident) => incident.priority === 1).map((incident) => incident.id);
  useEffect(() => {
    const before = seen.current;
    seen.current = new Set(urgent);
    if (before !== null && urgent.some((id) => !before.has(id))) run();
  }, [urgent.join()]);
}
