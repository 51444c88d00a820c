import { useSignal } from "@preact/signals";

import { download, get } from "../../api";
import { named } from "../../i18n";
import { span } from "../../wall/format";
import { Failure } from "../Dialog";
import { keep } from "../keep";
import type { Answer } from "../paging";
import { knownAreas, knownCategories, knownDepartments, said } from "../reference";
import { Sheet } from "../Sheet";
import { useOne } from "../task";
import { d } from "./texts";

interface Spread {
  mean: number | null;
  median: number | null;
  p90: number | null;
}

type StepName = "acknowledge" | "dispatch" | "handle" | "verify";

interface Line {
  name: string | null;
  opened: number;
  resolved: number;
  closed: number;
  mtta_seconds: Spread;
  mttr_seconds: Spread;
  reopened_share: number | null;
  on_time: Record<StepName, number | null>;
}

const BY = ["department", "area", "category"] as const;
const DAYS = ["7", "30", "90", "365"];
const STEPS: readonly StepName[] = ["acknowledge", "dispatch", "handle", "verify"];
const DAY_MS = 86_400_000;

/** How quickly what was opened was taken up and solved, by whom. */
export function Performance() {
  const by = useSignal<string>("department"), days = useSignal("30");
  const query = (): Record<string, string> => ({ by: by.value, from: new Date(Date.now() - Number(days.value) * DAY_MS).toISOString() });
  const report = useOne<Answer<Line>>((signal) => get("/v1/performance", query(), signal), [by.value, days.value]);
  const save = async (): Promise<void> =>
    keep(await download(`/v1/performance?${new URLSearchParams(query())}`, "text/csv"), `performance-${by.value}.csv`);
  const tools = (
    <>
      <label class="inline" for="by">{d("by")}</label>
      <select id="by" data-testid="performance-by" value={by.value} onChange={(event) => (by.value = event.currentTarget.value)}>
        {BY.map((one) => <option key={one} value={one}>{d(`by_${one}`)}</option>)}
      </select>
      <label class="inline" for="days">{d("days")}</label>
      <select id="days" value={days.value} onChange={(event) => (days.value = event.currentTarget.value)}>
        {DAYS.map((one) => <option key={one} value={one}>{d("n_days", { n: one })}</option>)}
      </select>
      <button type="button" class="action" data-testid="performance-csv" onClick={() => void save()}>{d("csv")}</button>
    </>
  );
  const lines = [...report.value.value?.items ?? []].sort((a, b) => b.opened - a.opened);
  const longest = (pick: (line: Line) => number | null): number => Math.max(1, ...lines.map((line) => pick(line) ?? 0));
  return (
    <Sheet id="performance" title={d("report")} more={d("report_more")} tools={tools}>
      <Failure error={report.error.value} />
      <table class="performance">
        <thead><tr>
          <th>{d("name")}</th><th class="right">{d("opened")}</th><th class="right">{d("resolved")}</th><th class="right">{d("closed")}</th>
          <th>{d("mtta")}</th><th>{d("mttr")}</th>{STEPS.map((step) => <th key={step} class="right">{d("on_time")}<small>{d(`s_${step}`)}</small></th>)}
          <th class="right">{d("reopened")}</th>
        </tr></thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.name} data-testid="performance-line">
              <td><b>{nameOf(by.value, line.name)}</b></td>
              <td class="right figures-cell">{line.opened}</td><td class="right figures-cell">{line.resolved}</td><td class="right figures-cell">{line.closed}</td>
              <td><Bar of={line.mtta_seconds} most={longest((one) => one.mtta_seconds.p90)} /></td>
              <td><Bar of={line.mttr_seconds} most={longest((one) => one.mttr_seconds.p90)} /></td>
              {STEPS.map((step) => <td key={step} class="right figures-cell">{percent(line.on_time[step])}</td>)}
              <td class="right figures-cell">{percent(line.reopened_share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {report.value.value !== null && lines.length === 0 && <p class="nothing">{d("none")}</p>}
    </Sheet>
  );
}

/** Median and 90th percentile on one line. */
function Bar({ of: { mean, median, p90 }, most }: { of: Spread; most: number }) {
  if (median === null || p90 === null) return <span>—</span>;
  return (
    <div class="spread" title={`${d("mean")} ${span((mean ?? 0) * 1000)}`}>
      <span class="track"><i style={{ width: `${p90 / most * 100}%` }} /><b style={{ width: `${median / most * 100}%` }} /></span>
      <small>{d("median")} {span(median * 1000)} · {d("p90")} {span(p90 * 1000)}</small>
    </div>
  );
}

function percent(share: number | null): string {
  return share === null ? "—" : `${Math.round(share * 100)} %`;
}

function nameOf(by: string, name: string | null): string {
  if (name === null || name === "") return d("unnamed");
  if (by === "area") return named(knownAreas().find((one) => one.area_id === name)) || name;
  const known = by === "category"
    ? knownCategories().find((one) => one.category === name)?.name : knownDepartments().find((one) => one.name.zh === name)?.name;
  return known ? said(known) : name;
}
