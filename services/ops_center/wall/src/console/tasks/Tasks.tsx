import "./tasks.css";

import { signal } from "@preact/signals";

import type { Incident } from "../../live/protocol";
import { span } from "../../wall/format";
import { Shape } from "../../wall/Shape";
import type { Desk } from "../desk";
import { knownDepartments, said } from "../reference";
import { hashOf, route } from "../route";
import { Case } from "./Case";
import { casesOf, due } from "./mine";
import { k } from "./texts";

const KEPT_AS = "yiwang.department";

const department = signal(kept());

/** The handling department's own page: what it has to do, until when. */
export function Tasks({ desk }: { desk: Desk }) {
  const { item } = route.value;
  const chosen = item === null ? undefined : desk.incident(item);
  if (chosen !== undefined) return <Case key={chosen.id} incident={chosen} desk={desk} />;
  const mine = casesOf(desk.open.value, department.value);
  return (
    <div class="tasks" data-testid="tasks">
      <header>
        <h2>{k("tasks")}</h2>
        <label for="tasks-department" class="unseen">{k("whose")}</label>
        <select id="tasks-department" data-testid="tasks-department" value={department.value}
          onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{k("choose")}</option>
          {knownDepartments().map((one) => <option key={one.name.zh} value={one.name.zh}>{said(one.name)}</option>)}
        </select>
      </header>
      {department.value === "" ? <p class="nothing"><b>{k("choose")}</b>{k("choose_more")}</p> : (
        <>
          <p class="tasks-count" role="status" data-testid="tasks-count">{k("mine", { n: mine.length })}</p>
          {mine.length === 0 && <p class="nothing"><b>{k("none")}</b>{k("none_more")}</p>}
          <ul>{mine.map((one) => <Card key={one.id} incident={one} desk={desk} />)}</ul>
        </>
      )}
    </div>
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
  department.value = name;
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
