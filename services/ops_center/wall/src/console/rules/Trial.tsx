import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { post } from "../../api";
import { Failure } from "../Dialog";
import { Pick, Text } from "../Fields";
import { exactSpan } from "../moment";
import { knownMetrics } from "../reference";
import type { RuleDocument } from "../rule";
import { useTask } from "../task";
import { QUARTER_SECONDS, exampleFor, foresees, type RuleForm } from "./form";
import { runOnEnter } from "./Preview";
import { r } from "./texts";

interface Case {
  name: string;
  passed: boolean;
  raised: { subject: string; start_seconds: number; end_seconds: number | null }[];
}

const SUBJECT = "test-1";
const USUAL_STEP = 60;

/** Readings that one writes down, and what the draft makes of them. */
export function Trial({ draft, form, metric }: { draft: () => RuleDocument | string | null; form: RuleForm | null; metric: string }) {
  const samples = useSignal(""), expected = useSignal("raise"), found = useSignal<Case | null>(null), typed = useSignal(false);
  const task = useTask();
  const step = form !== null && foresees(form.kind) ? QUARTER_SECONDS : Math.max(1, knownMetrics().find((one) => one.metric === metric)?.interval_seconds ?? USUAL_STEP);
  const example = form === null || metric === "" ? "" : exampleFor(form, step);
  useEffect(() => void (typed.value || (samples.value = example)), [example]);
  const run = (): void => {
    const asked = draft();
    if (asked === null) return;
    void task.run(async () => {
      const subject = form?.sensors.trim().split(/\s+/)[0]?.replace(/[*?]/g, "1") || SUBJECT;
      const tests = { tests: [{ name: "console", interval: step, series: { [`${subject} ${metric}`]: samples.value },
        places: { [subject]: form?.areas ?? [] } }] };
      const answer = await post<{ items: Case[] }>("/v1/rules/test", { rule: asked, tests: JSON.stringify(tests) });
      found.value = answer.items[0] ?? null;
    });
  };
  const right = found.value !== null && (found.value.raised.length > 0) === (expected.value === "raise");
  return (
    <section class="card" aria-labelledby="trial-title" onKeyDown={(event) => runOnEnter(event, run)} data-testid="rule-trial" data-passed={found.value === null ? undefined : right}>
      <h3 id="trial-title">{r("test")}</h3>
      <p class="soft">{r("test_more")}</p>
      <Text id="trial-samples" label={r("samples")} hint={r("samples_hint", { n: step })}
        value={{ get value() { return samples.value; }, set value(next: string) { typed.value = true; samples.value = next; } } as typeof samples} />
      <div class="command-line end">
        <Pick id="trial-expected" label={r("expected")} value={expected} options={[["raise", r("e_raise")], ["quiet", r("e_quiet")]]} />
        <button type="button" class="action" aria-disabled={task.busy.value} data-testid="trial-run" onClick={run}>{r("run_test")}</button>
      </div>
      <Failure error={task.failure.value} />
      {found.value !== null && (
        <div role="status" class={right ? "verdict" : "verdict wrong"}>
          <b>{r(right ? "passed" : "failed")}</b>
          {found.value.raised.length === 0 ? <p>{r("quiet")}</p> : (
            <ul>
              {found.value.raised.map((one) => (
                <li key={one.start_seconds}>{r("raised", { from: exactSpan(one.start_seconds),
                  until: one.end_seconds === null ? r("standing") : r("cleared", { at: exactSpan(one.end_seconds) }) })}</li>
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
