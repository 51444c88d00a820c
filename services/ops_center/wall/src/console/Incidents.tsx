import "./panes.css";
import "./queue.css";
import "./detail.css";

import { Detail } from "./Detail";
import type { Desk } from "./desk";
import { MapPane, mapShown } from "./MapPane";
import { Queue } from "./Queue";
import { t } from "./strings";

/** Queue, map, detail. */
export function Incidents({ desk }: { desk: Desk }) {
  return (
    <div class={`panes ${mapShown.value ? "" : "no-map"}`}>
      <Queue desk={desk} />
      {mapShown.value && <MapPane desk={desk} />}
      <section class="pane detail-pane" aria-label={t("detail")}><Detail desk={desk} /></section>
    </div>
  );
}
