import "./replay.css";

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import type { Board } from "../wall/board";
import { Shape } from "../wall/Shape";
import { Bar } from "./Bar";
import { Chooser } from "./Chooser";
import { listen } from "./keys";
import { wishOf } from "./moments";
import type { Stage } from "./stage";
import { t } from "./texts";

const TOUCHES = ["pointerdown", "wheel", "keydown", "touchstart"] as const;

interface Props {
  stage: Stage;
  /** The wall itself, of whichever picture. */
  wall: (board: Board) => ComponentChildren;
}

/** The present, or a replay in its frame. */
export function Replay({ stage, wall }: Props) {
  useEffect(() => stage.live.start(), [stage]);
  useEffect(() => listen(stage), [stage]);
  useEffect(() => {
    const wish = wishOf(location.search, Date.now());
    if (wish !== null) stage.show(wish);
  }, [stage]);
  useEffect(() => {
    const touch = (): void => stage.touch();
    TOUCHES.forEach((kind) => addEventListener(kind, touch, { capture: true, passive: true }));
    return () => TOUCHES.forEach((kind) => removeEventListener(kind, touch, { capture: true }));
  }, [stage]);
  const screening = stage.screening.value;
  const chooser = stage.choosing.value && <Chooser stage={stage} />;
  if (screening === null) return <>{wall(stage.live)}{chooser}</>;
  return (
    <div class="replaying" data-testid="replaying">
      <div key={String(screening.reel.wish.from)}>{wall(screening.board)}</div>
      <Bar stage={stage} screening={screening} />
      <News stage={stage} />
      {chooser}
    </div>
  );
}

/** Who rehearses must still hear of what is urgent now. */
function News({ stage }: { stage: Stage }) {
  const count = stage.news.value.length;
  if (count === 0) return null;
  return (
    <button type="button" class="replay-news" data-testid="replay-news" onClick={() => stage.back()}>
      <Shape priority={1} />{t("live_news", { n: count })} · <u>{t("back")}</u>
    </button>
  );
}
