import "./tasks.css";

import { signal } from "@preact/signals";

import type { Incident } from "../../live/protocol";
import { person } from "../../login/session";
import { span } from "../../wall/format";
import { Shape } from "../../wall/Shape";
import type { Desk } from "../desk";
import { departmentName, departmentOptions } from "../reference";
import { hashOf, route } from "../route";
import { Case } from "./Case";
import { casesOf, due } from "./mine";
import { k } from "./texts";

const KEPT_AS = "yiwang.department";

/** What was chosen on this device, by who works for no department himself. */
const chosen = signal(kept());
const lateOnly = signal(false);

/** The handling department's own page: what it has to do, until when. */
export function Tasks({ desk }: { desk: Desk }) {
  const { item } = route.value;
  const opened = item === null ? undefined : desk.incident(item);
  if (opened !== undefined) return <Case key={opened.id} incident={opened} desk={desk} />;
  const own = person.value?.department ?? null, department = own ?? chosen.value;
  const mine = casesOf(desk.open.value, department);
  const late = mine.filter((one) => due(one) < desk.board.beat.value);
  const shown = lateOnly.value && late.length > 0 ? late : mine;
  return (
    <div class="tasks" data-testid="tasks" data-department={department}>
      <header>
        <h2>{own === null ? k("tasks") : departmentName(own)}</h2>
        {own === null && <Chooser />}
      </header>
      {department === "" ? <p class="nothing"><b>{k("choose")}</b>{k("choose_more")}</p> : (
        <>
          <div class="tasks-line">
            <p class="tasks-count" role="status" data-testid="tasks-count">{k("mine", { n: mine.length })}</p>
            {late.length > 0 && (
              <button type="button" class="late-only" aria-pressed={lateOnly.value} data-testid="tasks-late"
                onClick={() => (lateOnly.value = !lateOnly.value)}>{k("filter_late", { n: late.length })}</button>
            )}
          </div>
          {mine.length === 0 && <p class="nothing"><b>{k(desk.board.epoch.value === 0 ? "loading" : "none")}</b>{k("none_more")}</p>}
          <ul>{shown.map((one) => <Card key={one.id} incident={one} desk={desk} />)}</ul>
        </>
      )}
    </div>
  );
}

function Chooser() {
  return (
    <>
      <label for="tasks-department" class="unseen">{k("whose")}</label>
      <select id="tasks-department" data-testid="tasks-department" value={chosen.value}
        onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{k("choose")}</option>
        {departmentOptions(chosen.value).map(([name, label]) => <option key={name} value={name}>{label}</option>)}
      </select>
    </>
  );
}

function Card({ incident, desk }: { incident: Incident; desk: Desk }) {
  return (
    <li>
      <a href={hashOf("tasks", incident.id)} class="task" data-testid={`task-${incident.id}`} data-state={incident.state}>
        <Shape priority={incident.priority} quiet={incident.state !== "dispatched"} />
        <span class="task-title">{incident.title}</span>
        <Until incident={incident} desk={desk} />
        <b>{k(incident.state === "handling" ? "working" : "waiting")}</b>
      </a>
    </li>
  );
}

/** Redrawn by itself as time goes by. */
export function Until({ incident, desk }: { incident: Incident; desk: Desk }) {
  const left = due(incident) - desk.board.beat.value;
  if (!Number.isFinite(left)) return <small>{k("no_deadline")}</small>;
  return <small class={left < 0 ? "late" : ""}>{k(left < 0 ? "late" : "left", { span: span(Math.abs(left)) })}</small>;
}

function choose(name: string): void {
  chosen.value = name;
  try {
    localStorage.setItem(KEPT_AS, name);
  } catch {
    // A locked-down browser keeps the choice for this visit only.
  }
}

function kept(): string {
  try {
    return localStorage.getItem(KEPT_AS) ?? "";
  } catch {
    return "";
  }
}
