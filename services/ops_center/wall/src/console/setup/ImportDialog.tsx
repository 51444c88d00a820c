import { useSignal } from "@preact/signals";

import { upload } from "../../api";
import { Dialog, Failure } from "../Dialog";
import { Field, Pick } from "../Fields";
import { f } from "../form-texts";
import { useTask } from "../task";
import { s, type SetupText } from "./texts";

interface Row {
  row: number;
  sensor_id: string | null;
  verdict: "create" | "update" | "unchanged" | "refused";
  column: string | null;
  reason: string | null;
}

interface Report {
  dry_run: boolean;
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
  rows: Row[];
}

const SHOWN = 200;

/** Sensors from a file: first what would become of each row, then in earnest. */
export function ImportDialog({ close, done }: { close: () => void; done: () => void }) {
  const file = useSignal<File | null>(null), crs = useSignal("wgs84"), report = useSignal<Report | null>(null);
  const task = useTask();
  const send = (dry: boolean): void => void task.run(async () => {
    const chosen = file.value as File;
    const type = /json$/i.test(chosen.name) ? "application/geo+json" : "text/csv";
    report.value = await upload<Report>(`/v1/sensors/import?dry_run=${dry}&crs=${crs.value}`, chosen, type);
    if (!dry) done();
  });
  const change = report.value === null ? 0 : report.value.created + report.value.updated;
  return (
    <Dialog id="import-dialog" title={s("import_title")} close={close} wide>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (file.value) send(true); }}>
        <p class="soft">{s("import_hint")}<br />{s("import_columns")}</p>
        <div class="pair">
          <Field id="import-file" label={s("import_file")}>
            <input id="import-file" data-testid="import-file" type="file" accept=".csv,.txt,.json,.geojson"
              onChange={(event) => { file.value = event.currentTarget.files?.[0] ?? null; report.value = null; }} />
          </Field>
          <Pick id="import-crs" label={s("crs")} value={crs} options={[["wgs84", s("crs_wgs84")], ["gcj02", s("crs_gcj02")], ["bd09", s("crs_bd09")]]} />
        </div>
        <Failure error={task.failure.value} />
        <div class="command-line">
          <button type="submit" class={report.value === null ? "action usual" : "action"} disabled={file.value === null || task.busy.value} data-testid="import-dry">{s("import_dry")}</button>
          {report.value?.dry_run && (
            <button type="button" class="action usual" disabled={change === 0 || task.busy.value} data-testid="import-go" onClick={() => send(false)}>
              {change === 0 ? s("import_nothing") : `${s("import_go")} (${change})`}
            </button>
          )}
          <button type="button" class="plain" onClick={close}>{f("close")}</button>
        </div>
        {report.value !== null && <Outcome report={report.value} />}
      </form>
    </Dialog>
  );
}

function Outcome({ report }: { report: Report }) {
  const counts = [["create", report.created], ["update", report.updated], ["unchanged", report.unchanged], ["refused", report.refused]] as const;
  return (
    <section role="status" data-testid="import-report" data-dry={report.dry_run} data-created={report.created} data-refused={report.refused}>
      <p><b>{s(report.dry_run ? "import_dry" : "import_done")}</b>{" "}
        {counts.map(([verdict, count]) => `${s(`v_${verdict}`)} ${count}`).join(" · ")}</p>
      <table>
        <thead><tr><th>{s("row")}</th><th>{s("sensor_id")}</th><th>{s("verdict")}</th><th>{s("why")}</th></tr></thead>
        <tbody>
          {report.rows.slice(0, SHOWN).map((row) => (
            <tr key={row.row}>
              <td class="figures-cell">{row.row}</td><td><code>{row.sensor_id ?? "—"}</code></td>
              <td class={row.verdict === "refused" ? "late" : ""}>{s(`v_${row.verdict}` as SetupText)}</td>
              <td>{row.column && <code>{row.column}</code>} {row.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
