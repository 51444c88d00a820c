import "../theme.css";
import "./wall.css";
import "./strip.css";
import "./vitals.css";
import "./map.css";
import "./incidents.css";
import "./trends.css";
import "./detail.css";

import { render } from "preact";
import { useEffect } from "preact/hooks";

import { browser } from "../live/browser";
import { Replay } from "../replay/Replay";
import { Stage } from "../replay/stage";
import { Board } from "./board";
import { Detail } from "./Detail";
import { clock, span } from "./format";
import { Incidents } from "./Incidents";
import { MapPanel } from "./MapPanel";
import { useScale } from "./scale";
import { Strip } from "./Strip";
import { t } from "./texts";
import { Trends } from "./Trends";
import { calm, keepUp } from "./upkeep";
import { Vitals } from "./Vitals";

const LOGIN = "/console?next=/";
const ASK_AGAIN_MS = 60_000;

function Wall({ board }: { board: Board }) {
  useScale();
  useEffect(() => refusedAt(board), [board.link.value]);
  return (
    <div class={`wall ${board.adrift.value ? "adrift" : ""}`}>
      <Strip board={board} />
      <Vitals board={board} />
      <main>
        <MapPanel board={board} />
        <Banner board={board} />
        <Detail board={board} />
      </main>
      <Incidents board={board} />
      <Trends board={board} />
    </div>
  );
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
Object.assign(window, { __wall: board, __stage: stage }); // For whoever looks into a running wall, tests above all.
render(<Replay stage={stage} wall={(shown) => <Wall board={shown} />} />, document.getElementById("wall") as HTMLElement);
keepUp(Math.random, () => calm(board.incidents.value, board.now()));
