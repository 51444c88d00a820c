import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { ApiError } from "../api";
import type { Incident } from "../live/protocol";
import { inWords } from "../login/wording";
import { Shape } from "../wall/Shape";
import { Actions } from "./Actions";
import { LOOP } from "./commands";
import { opening, type Desk, type Step } from "./desk";
import { Facts } from "./Facts";
import { t } from "./strings";
import { Related } from "./related/Related";
import { Timeline } from "./Timeline";
import { Trend } from "./Trend";
import { Reports } from "./work/Reports";
import { Why } from "./work/Why";

/** Everything about the chosen incident, and what can be done with it. */
export function Detail({ desk }: { desk: Desk }) {
  const id = desk.selected.value;
  if (id === null) return <p class="nothing"><b>{t("pick")}</b>{t("pick_more")}</p>;
  return <Chosen key={id} id={id} desk={desk} />;
}

function Chosen({ id, desk }: { id: string; desk: Desk }) {
  const timeline = useSignal<Step[]>([]);
  const failure = useSignal<unknown>(null);
  const incident = desk.incident(id);
  const answered = desk.answers.value.get(id)?.version ?? 0;
  useEffect(() => {
    const asked = new AbortController();
    desk.dossier(id, asked.signal).then(
      (found) => {
        timeline.value = found.timeline;
        failure.value = null;
      },
      (error) => void (asked.signal.aborted || (failure.value = error)),
    );
    return () => asked.abort();
  }, [id, desk.stamp(id), answered]);
  if (incident === undefined) return <Missing failure={failure.value} />;
  return (
    <article class="incident" data-testid="detail" data-id={id} data-state={incident.state} data-version={incident.version}>
      <header>
        <h2><Shape priority={incident.priority} quiet={incident.state !== "open"} />{incident.title}</h2>
        <p class="incident-state">
          <b class={`state ${incident.state}`} data-testid="detail-state">{t(incident.state)}</b>
          <span class={`alert ${incident.alert_state}`} data-testid="detail-alert">{t(incident.alert_state)}</span>
          {incident.historical && <span>{t("historical")}</span>}
        </p>
      </header>
      <Loop incident={incident} />
      <Actions incident={incident} desk={desk} />
      {failure.value !== null && <p class="problem" role="alert">{inWords(failure.value)}</p>}
      <Facts incident={incident} desk={desk} opening={opening(timeline.value)} />
      <Why incident={incident} desk={desk} opening={opening(timeline.value)} />
      <Trend incident={incident} desk={desk} />
      <Related incident={incident} desk={desk} />
      <Reports incident={incident} desk={desk} />
      <Timeline steps={timeline.value} desk={desk} />
    </article>
  );
}

function Missing({ failure }: { failure: unknown }) {
  if (failure === null) return <p class="nothing">{t("loading")}</p>;
  const absent = failure instanceof ApiError && (failure.status === 404 || failure.status === 422);
  return <p class="nothing" role="alert"><b>{absent ? t("gone") : inWords(failure)}</b></p>;
}

/** How far the incident has come on its way round the closed loop. */
function Loop({ incident }: { incident: Incident }) {
  const here = LOOP.indexOf(incident.state);
  return (
    <ol class="loop">
      {LOOP.map((state, place) => (
        <li key={state} class={place < here ? "past" : place === here ? "here" : ""}
          aria-current={place === here ? "step" : undefined}>{t(`step_${state}`)}</li>
      ))}
    </ol>
  );
}
