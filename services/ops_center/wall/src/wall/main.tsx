import "../theme.css";
import "./wall.css";
import "./strip.css";
import "./vitals.css";
import "./map.css";
import "./incidents.css";
import "./trends.css";
import "./detail.css";
import "./side.css";
import "./neighbours.css";
import "./help.css";

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { browser } from "../live/browser";
import { Replay } from "../replay/Replay";
import { Stage } from "../replay/stage";
import { Board } from "./board";
import { help, map } from "./chosen";
import { Detail } from "./Detail";
import { CALM, flooded, type Flood } from "./flood";
import { clock, span } from "./format";
import { Help } from "./Help";
import { Incidents } from "./Incidents";
import { listen } from "./keys";
import { MapPanel } from "./MapPanel";
import { useScale } from "./scale";
import { Show } from "./show";
import { Side } from "./Side";
import { Strip } from "./Strip";
import { t } from "./texts";
import { Trends } from "./Trends";
import { calm, keepUp } from "./upkeep";
import { hasPanel } from "./view";

const LOGIN = "/console?next=/";
const ASK_AGAIN_MS = 60_000;

function Wall({ board }: { board: Board }) {
  const [show] = useState(() => new Show(board));
  useScale();
  useEffect(() => show.start(location.search), [show]);
  useEffect(() => listen(board, show), [board, show]);
  useEffect(() => refusedAt(board), [board.link.value]);
  const flood = useFlood(board, show);
  const view = show.view.value;
  const [incidents, trends] = [hasPanel(view, "incidents"), hasPanel(view, "trends")];
  const left = ["vitals", "districts", "health"].some((panel) => hasPanel(view, panel));
  const lacking = [!left && "no-side", !incidents && "no-incidents", !trends && "no-trends"].filter(Boolean);
  return (
    <div class={["wall", board.adrift.value && "adrift", ...lacking].filter(Boolean).join(" ")}>
      <Strip board={board} show={show} />
      {left && <Side board={board} show={show} flood={flood.on} />}
      <main>
        <MapPanel board={board} show={show} />
        {flood.on && !board.adrift.value && (
          <div class="flood-banner" role="status">{t("flood_banner", { n: flood.recent })}</div>
        )}
        <Banner board={board} />
        <Detail board={board} show={show} />
        {help.value && <Help />}
      </main>
      {incidents && <Incidents board={board} show={show} flood={flood} />}
      {trends && <Trends board={board} show={show} />}
    </div>
  );
}

/** Judged once a second and whenever an incident comes or goes. */
function useFlood(board: Board, show: Show): Flood {
  const [flood, setFlood] = useState<Flood>(CALM);
  const open = show.open.value;
  useEffect(() => setFlood((before) => {
    const after = flooded(before, open, board.now());
    return after.on || before.on || after.recent !== before.recent ? after : before;
  }), [open, board.beat.value]);
  return flood;
}

function Banner({ board }: { board: Board }) {
  if (!board.adrift.value) return null;
  const newest = board.newestAt.value;
  const values = { at: clock(newest), span: span(board.beat.value - newest) };
  const text = board.link.value === "refused" ? "refused_banner" : "lost_banner";
  return <div class="banner" role="alert">{t(text, values)}</div>;
}

/** A page that never got in is a person's: log in. A wall that was in keeps its picture and asks again. */
function refusedAt(board: Board): (() => void) | undefined {
  if (board.link.value !== "refused" || board.reel !== null) return undefined;
  if (board.picture.epoch === 0) {
    location.assign(LOGIN);
    return undefined;
  }
  const timer = setTimeout(() => board.restart(), ASK_AGAIN_MS);
  return () => clearTimeout(timer);
}

const board = new Board(browser);
const stage = new Stage(board, browser);
// For whoever looks into a running wall, tests above all.
Object.assign(window, { __wall: board, __stage: stage, __map: map });
render(<Replay stage={stage} wall={(shown) => <Wall board={shown} />} />, document.getElementById("wall") as HTMLElement);
keepUp(Math.random, () => calm(board.incidents.value, board.now()));
