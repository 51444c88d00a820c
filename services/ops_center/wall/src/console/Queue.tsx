import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import type { Incident } from "../live/protocol";
import { partsOf, standsAlone } from "../live/reducer";
import { person } from "../login/session";
import { inWords } from "../login/wording";
import { mayAct } from "./commands";
import type { Desk } from "./desk";
import { Filters } from "./Filters";
import { shownIds } from "./keys";
import { useMore } from "./paging";
import { EVERYTHING, filtered, ordered } from "./queue";
import { Row } from "./Row";
import { t } from "./strings";
import { BulkBar } from "./work/BulkBar";
import { FloodBanner } from "./work/FloodBanner";
import { w } from "./work/texts";

const ROWS = 100;

/** What waits for a person, the most urgent first. */
export function Queue({ desk }: { desk: Desk }) {
  const { filter } = desk;
  const rows = useSignal(ROWS);
  const past = useMore<Incident>((cursor, signal) =>
    get("/v1/incidents", { state: "closed", top: "true", limit: ROWS, cursor }, signal));
  const stage = filter.value.stage;
  useEffect(() => void (stage === "closed" && past.reload()), [stage, desk.board.epoch.value]);
  useEffect(() => void (rows.value = ROWS), [filter.value]);

  const fitting = useComputed(() => {
    const { picture } = desk.board;
    const nameOf = (id: string): string => picture.sensors.name[picture.sensors.indexOf.get(id) ?? -1] ?? "";
    const all = filter.value.stage === "closed" ? newestOf(past.items.value, desk).filter(standsAlone) : desk.open.value;
    return ordered(filtered(all, filter.value, nameOf), filter.value.stage, desk.flood.value);
  });
  const shown = fitting.value.slice(0, rows.value).flatMap((one) => [one, ...opened(one, desk)]);
  useEffect(() => void (shownIds.value = shown.map((incident) => incident.id)), [shown.map((incident) => incident.id).join()]);
  return (
    <section class="pane queue" aria-label={t("queue")} data-testid="queue">
      <Filters desk={desk} />
      <FloodBanner desk={desk} />
      <p class="queue-count">
        <span data-testid="queue-count">{t("shown", { n: fitting.value.length })}</span>
        {mayAct(person.value?.role ?? "") && (
          <button type="button" class="link-button report" data-testid="report" aria-haspopup="dialog" aria-keyshortcuts="i"
            onClick={() => (desk.opened.value = "report")}>+ {w("report_title")}</button>
        )}
        {filter.value !== EVERYTHING && (
          <button type="button" class="link-button" onClick={() => (filter.value = EVERYTHING)}>{t("clear")}</button>
        )}
      </p>
      <BulkBar desk={desk} shown={shown} />
      <ol class="rows">
        {shown.map((incident) => <Row key={incident.id} incident={incident} desk={desk} />)}
      </ol>
      {fitting.value.length === 0 && <Nothing desk={desk} busy={past.busy.value} />}
      {fitting.value.length > rows.value && (
        <button type="button" class="more" onClick={() => (rows.value += ROWS)}>
          {t("more", { n: Math.min(ROWS, fitting.value.length - rows.value) })}
        </button>
      )}
      {stage === "closed" && past.error.value !== null && <p class="problem" role="alert">{inWords(past.error.value)}</p>}
      {stage === "closed" && past.next.value !== null && (
        <button type="button" class="more" disabled={past.busy.value} onClick={() => past.more()}>
          {t(past.busy.value ? "loading" : "load_more")}
        </button>
      )}
    </section>
  );
}

/** The parts of what is selected, or of which a part is: they stand below it. */
function opened(whole: Incident, desk: Desk): Incident[] {
  const selected = desk.selected.value;
  const parts = partsOf(whole, desk.board.incidents.value);
  return whole.id === selected || parts.some((part) => part.id === selected) ? parts : [];
}

/** A closed incident that has been reopened meanwhile leaves the list; one just closed joins it. */
function newestOf(closed: readonly Incident[], desk: Desk): Incident[] {
  const all = new Map([...closed, ...desk.answers.value.values()].map((one) => [one.id, one]));
  return [...all.keys()].flatMap((id) => desk.incident(id) ?? all.get(id) ?? []);
}

function Nothing({ desk, busy }: { desk: Desk; busy: boolean }) {
  const { stage } = desk.filter.value;
  if (stage === "closed") return <p class="nothing">{t(busy ? "loading" : "none_closed")}</p>;
  if (desk.filter.value !== EVERYTHING) return <p class="nothing">{t("none_match")}</p>;
  if (desk.board.epoch.value === 0) return <p class="nothing">{t("loading")}</p>;
  return <p class="nothing"><b>{t("none_open")}</b>{t("none_open_more")}</p>;
}
