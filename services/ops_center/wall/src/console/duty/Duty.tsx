import { useSignal } from "@preact/signals";

import { get, remove } from "../../api";
import { person } from "../../login/session";
import { may } from "../commands";
import type { Desk } from "../desk";
import { Failure } from "../Dialog";
import { moment } from "../moment";
import type { Answer } from "../paging";
import { Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useOne, useTask } from "../task";
import { Chains } from "./Chains";
import { Lanes, type Shift } from "./Lanes";
import { SwapDialog } from "./SwapDialog";
import { d } from "./texts";

export interface Someone {
  person_id: string;
  name: string;
}

interface OnDuty {
  roster_id: string;
  name: string;
  people: Someone[];
  layer: string | null;
  gap: boolean;
}

export interface Person extends Someone {
  language: string;
  contacts: string[];
}

const NEXT = 6;

/** Who is on duty now and next, and the escalation that calls them. */
export function Duty({ desk }: { desk: Desk }) {
  const duty = useOne<Answer<OnDuty>>((signal) => get("/v1/duty", {}, signal), []);
  const people = useOne<Answer<Person>>((signal) => get("/v1/people", {}, signal), []);
  const everyone = people.value.value?.items ?? [];
  const rosters = duty.value.value?.items ?? [];
  return (
    <div class="sheets">
      <Sheet id="duty" title={d("duty")} more={d("duty_more")}>
        <Failure error={duty.error.value ?? people.error.value} />
        {duty.value.value !== null && rosters.length === 0 && <p class="nothing">{d("no_rosters")}</p>}
        {rosters.map((roster) => <Roster key={roster.roster_id} roster={roster} people={everyone} desk={desk} changed={duty.reload} />)}
      </Sheet>
      <Chains people={everyone} rosters={rosters} />
    </div>
  );
}

function Roster({ roster, people, desk, changed }: { roster: OnDuty; people: readonly Person[]; desk: Desk; changed: () => void }) {
  const swapping = useSignal(false);
  const shifts = useOne<Answer<Shift> & { gap_minutes: number }>((signal) => get(`/v1/rosters/${roster.roster_id}/shifts`, {}, signal), [roster.roster_id]);
  const found = shifts.value.value;
  const again = (): void => {
    shifts.reload();
    changed();
  };
  return (
    <section class="roster" aria-labelledby={`roster-${roster.roster_id}`} data-testid={`roster-${roster.roster_id}`}>
      <header>
        <h3 id={`roster-${roster.roster_id}`}>{roster.name}</h3>
        <p class={roster.gap ? "on-duty late" : "on-duty"}>
          <small>{d("now")}</small> <b>{roster.gap ? d("gap") : roster.people.map((one) => one.name).join("、")}</b>
          <small> {roster.layer} {found?.items[0] && d("until", { at: moment(found.items[0].ends_at, desk.board.now()) })}</small>
        </p>
        {may(person.value?.role ?? "", "operator") && (
          <button type="button" class="action" data-testid="swap" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (swapping.value = true)}>{d("swap")}</button>
        )}
      </header>
      {found !== null && found.gap_minutes > 0 && <p class="late">{d("gaps", { n: found.gap_minutes })}</p>}
      {found !== null && <Lanes shifts={found.items} now={desk.board.now()} />}
      {found !== null && <Next roster={roster.roster_id} shifts={found.items.slice(0, NEXT)} desk={desk} changed={again} />}
      {swapping.value && <SwapDialog roster={roster} people={people} desk={desk} close={() => (swapping.value = false)} made={again} />}
    </section>
  );
}

function Next({ roster, shifts, desk, changed }: { roster: string; shifts: readonly Shift[]; desk: Desk; changed: () => void }) {
  const task = useTask();
  const now = desk.board.now();
  return (
    <details>
      <summary>{d("upcoming")}</summary>
      <Failure error={task.failure.value} />
      <ul class="lines">
        {shifts.map((shift) => (
          <li key={shift.starts_at}>
            <span class="figures-cell">{moment(shift.starts_at, now)} – {moment(shift.ends_at, now)}</span>
            <b class={shift.gap ? "late" : ""}>{shift.gap ? d("gap") : shift.people.map((one) => one.name).join("、")}</b>
            <small>{shift.override_id === null ? shift.layer : d("overridden")}</small>
            {shift.override_id !== null && may(person.value?.role ?? "", "operator") && (
              <Sure id="swap-back" label={d("take_back")} question={d("take_back_sure")}
                act={() => void task.run(() => remove(`/v1/rosters/${roster}/overrides/${shift.override_id}`).then(changed))} />
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
