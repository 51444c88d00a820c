import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { person } from "../../login/session";
import type { Incident } from "../../live/protocol";
import { inWords } from "../../login/wording";
import { Shape } from "../../wall/Shape";
import { mayWork, type Command } from "../commands";
import { opening, type Desk, type Step } from "../desk";
import { Facts } from "../Facts";
import { Prose, Text } from "../Fields";
import { hashOf } from "../route";
import { actorName, known, t } from "../strings";
import { Timeline } from "../Timeline";
import { Reports } from "../work/Reports";
import { Until } from "./Tasks";
import { k } from "./texts";

/** One case on a phone: what is wrong, where, until when; start, note, result. */
export function Case({ incident, desk }: { incident: Incident; desk: Desk }) {
  const steps = useSignal<Step[]>([]);
  useEffect(() => {
    const asked = new AbortController();
    desk.dossier(incident.id, asked.signal).then((found) => void (steps.value = found.timeline), () => undefined);
    return () => asked.abort();
  }, [incident.id, desk.stamp(incident.id), desk.answers.value.get(incident.id)?.version]);
  const sent = [...steps.value].sort((a, b) => b.version - a.version).find((one) => one.type === "incident.dispatched" || one.type === "incident.transferred");
  return (
    <article class="case" data-testid="case" data-id={incident.id} data-state={incident.state}>
      <header>
        <a href={hashOf("tasks")} class="back" data-testid="case-back">← {k("back")}</a>
        <h2><Shape priority={incident.priority} quiet={incident.state !== "dispatched"} />{incident.title}</h2>
        <p><b class={`state ${incident.state}`}>{t(incident.state)}</b> <Until incident={incident} desk={desk} /></p>
      </header>
      {sent?.note && <section class="card"><h3>{k("call_in")}</h3><p>{sent.note}</p><small>{actorName(sent.actor)}</small></section>}
      {mayWork(person.value, incident) ? <Work incident={incident} desk={desk} /> : <p class="read-only">{t("read_only")}</p>}
      <Navigate incident={incident} desk={desk} />
      <Facts incident={incident} desk={desk} opening={opening(steps.value)} />
      <Reports incident={incident} desk={desk} />
      <Timeline steps={steps.value} desk={desk} />
    </article>
  );
}

/** The next step first; a note and a photo can be added at any time. */
function Work({ incident, desk }: { incident: Incident; desk: Desk }) {
  const busy = desk.guesses.value.has(incident.id);
  const notice = desk.notices.value.get(incident.id);
  const handling = incident.state === "handling";
  const note = useSignal(""), photo = useSignal(""), asked = useSignal(false);
  const badPhoto = photo.value.trim() !== "" && !/^https?:\/\/./.test(photo.value.trim());
  const send = (command: Command): void => {
    asked.value = true;
    if (note.value.trim() === "" || badPhoto) return;
    const words = [note.value.trim(), photo.value.trim() && k("photo_line", { url: photo.value.trim() })].filter(Boolean).join("\n");
    void desk.run(incident.id, command, { note: words }).then((done) => {
      if (done) [note.value, photo.value, asked.value] = ["", "", false];
    });
  };
  return (
    <section class="case-work" aria-label={t("actions")} aria-busy={busy}>
      {notice && (
        <p class={`notice ${notice.kind}`} role="alert" data-testid="notice">
          {notice.kind === "failed" ? `${t("failed", { what: t(notice.command) })} ${inWords(notice.error)}`
            : notice.last === null ? t("beaten_unknown") : t("beaten", { actor: actorName(notice.last.actor), what: known(notice.last.type) })}
        </p>
      )}
      {incident.state === "dispatched" && (
        <button type="button" class="action usual big" disabled={busy} data-testid="case-start"
          onClick={() => void desk.run(incident.id, "start", { note: "" })}>{k("start")}</button>
      )}
      {incident.state !== "closed" && (
        <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); send(handling ? "resolve" : "comment"); }}>
          <Prose id="case-note" label={k(handling ? "result" : "note_text")} rows={3} value={note}
            fault={asked.value && note.value.trim() === "" ? k("need") : ""} />
          <Text id="case-photo" label={k("photo")} type="url" hint={k("photo_hint")} value={photo} fault={asked.value && badPhoto ? k("photo_bad") : ""} />
          {handling && <button type="submit" class="action usual big" disabled={busy} data-testid="case-resolve">{k("resolve")}</button>}
          <button type={handling ? "button" : "submit"} class="action big" disabled={busy} data-testid="case-comment"
            onClick={handling ? () => send("comment") : undefined}>{k("note")}</button>
        </form>
      )}
    </section>
  );
}

/** To the phone's own map. */
function Navigate({ incident, desk }: { incident: Incident; desk: Desk }) {
  const { sensors } = desk.board.picture;
  const index = sensors.indexOf.get(incident.subjects[0] ?? "") ?? -1;
  const lon = sensors.lon[index], lat = sensors.lat[index];
  if (lon === undefined || lat === undefined) return null;
  return <a class="action big navigate" href={`geo:${lat},${lon}?q=${lat},${lon}`}>{k("navigate")} {lat.toFixed(4)}, {lon.toFixed(4)}</a>;
}
