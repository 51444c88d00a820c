import { useSignal } from "@preact/signals";

import { post, upload } from "../../api";
import { number } from "../../wall/format";
import { Failure } from "../Dialog";
import { moment } from "../moment";
import type { RuleDocument } from "../rule";
import { useTask } from "../task";
import { r } from "./texts";

interface Outcome {
  alerts: number;
  subjects: number;
  per_day: Record<string, number>;
  items: { subject: string; start: string; end: string | null; peak: number }[];
}

interface Answer {
  draft: Outcome;
  current: Outcome | null;
  read: { rows: number; sensors: number; seconds: number; cut: string | null };
}

const SHOWN = 12;

/** A rule as the server takes it: an object as JSON, or a text as YAML. */
export function sendRule<T>(path: string, draft: RuleDocument | string): Promise<T> {
  return typeof draft === "string" ? upload<T>(path, draft, "application/yaml") : post<T>(path, draft);
}

/** What the draft would have raised in the days behind us, beside what the version in force would have. */
export function Preview({ draft }: { draft: () => RuleDocument | string | null }) {
  const days = useSignal("1"), answer = useSignal<(Answer & { days: string }) | null>(null);
  const task = useTask();
  const run = (): void => {
    const asked = draft();
    if (asked === null) return;
    void task.run(async () => {
      answer.value = { ...await sendRule<Answer>(`/v1/rules/preview?days=${days.value}`, asked), days: days.value };
    });
  };
  return (
    <section class="card" aria-labelledby="preview-title" onKeyDown={(event) => runOnEnter(event, run)} data-testid="rule-preview" data-alerts={answer.value?.draft.alerts}>
      <h3 id="preview-title">{r("preview")}</h3>
      <p class="soft">{r("preview_more")}</p>
      <div class="command-line">
        <label class="inline" for="preview-days">{r("days")}</label>
        <select id="preview-days" value={days.value} onChange={(event) => (days.value = event.currentTarget.value)}>
          {["1", "3", "7", "14", "31"].map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
        <button type="button" class="action" aria-disabled={task.busy.value} data-testid="preview-run" onClick={run}>{r(task.busy.value ? "running" : "run")}</button>
      </div>
      <Failure error={task.failure.value} />
      {answer.value !== null && <Found answer={answer.value} />}
    </section>
  );
}

/** Beside a form, Enter runs what is beside it, and does not send the form. */
export function runOnEnter(event: KeyboardEvent, run: () => void): void {
  if (event.key !== "Enter" || event.target instanceof HTMLButtonElement) return;
  event.preventDefault();
  run();
}

function Found({ answer: { draft, current, read, days } }: { answer: Answer & { days: string } }) {
  return (
    <div role="status">
      <p><b>{draft.alerts === 0 ? r("none_would") : r("would", { days, alerts: draft.alerts, subjects: draft.subjects })}</b></p>
      {current && <p>{r("current", { alerts: current.alerts, subjects: current.subjects })}</p>}
      <p class="soft">{r("read", { rows: read.rows, sensors: read.sensors, seconds: read.seconds })}{read.cut !== null && r("cut")}</p>
      <Days per={draft.per_day} beside={current?.per_day ?? {}} />
      {draft.items.length > 0 && (
        <table>
          <thead><tr><th>{r("subject")}</th><th>{r("from")}</th><th>{r("until")}</th><th class="right">{r("peak")}</th></tr></thead>
          <tbody>
            {draft.items.slice(0, SHOWN).map((one) => (
              <tr key={`${one.subject}${one.start}`}>
                <td><code>{one.subject}</code></td><td class="figures-cell">{moment(one.start, Date.now())}</td>
                <td class="figures-cell">{one.end === null ? r("still_on") : moment(one.end, Date.now())}</td><td class="right figures-cell">{number(one.peak)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** Alerts per day; behind the draft's bar stands that of the version in force. */
function Days({ per, beside }: { per: Record<string, number>; beside: Record<string, number> }) {
  const days = [...new Set([...Object.keys(per), ...Object.keys(beside)])].sort();
  const most = Math.max(1, ...days.map((day) => Math.max(per[day] ?? 0, beside[day] ?? 0)));
  if (days.length < 2) return null;
  return (
    <ol class="days">
      {days.map((day) => (
        <li key={day} title={`${day}: ${per[day] ?? 0}`}>
          <span class="bar before" style={{ height: `${(beside[day] ?? 0) / most * 100}%` }} />
          <span class="bar" style={{ height: `${(per[day] ?? 0) / most * 100}%` }} />
          <small>{day.slice(5)}</small>
        </li>
      ))}
    </ol>
  );
}
