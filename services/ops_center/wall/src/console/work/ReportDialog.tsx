import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { post } from "../../api";
import { named } from "../../i18n";
import type { Incident } from "../../live/protocol";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Pick, Prose, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { knownAreas, knownCategories, said } from "../reference";
import { useTask } from "../task";
import { PlacePicker, placed } from "./PlacePicker";
import { w } from "./texts";

interface Entered {
  outcome: "opened" | "joined" | "known";
  incident: Incident;
}

const REPORTERS = ["hotline", "patrol", "citizen"] as const;

/** What somebody saw, entered for them. */
export function ReportDialog({ desk, close }: { desk: Desk; close: () => void }) {
  const entered = useSignal<Entered | null>(null);
  const open = (id: string): void => {
    desk.select(id);
    close();
  };
  const done = entered.value;
  return (
    <Dialog id="report-dialog" title={w("report_title")} close={close} wide>
      {done === null ? <Form desk={desk} close={close} done={(answer) => (entered.value = answer)} /> : (
        <div class="stack" role="status" data-testid="report-outcome" data-outcome={done.outcome}>
          <p><b>{w(`outcome_${done.outcome}`)}</b></p>
          <p>{done.incident.title}</p>
          <div class="command-line">
            <button type="button" class="action usual" data-testid="report-open" onClick={() => open(done.incident.id)}>{w("open_it")}</button>
            <button type="button" class="plain" onClick={() => (entered.value = null)}>{w("another")}</button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Form({ desk, close, done }: { desk: Desk; close: () => void; done: (answer: Entered) => void }) {
  const category = useSignal(""), text = useSignal(""), reporter = useSignal("hotline"), phone = useSignal("");
  const reference = useSignal(""), photos = useSignal(""), area = useSignal("");
  const place = { lon: useSignal(""), lat: useSignal("") };
  const asked = useSignal(false);
  const task = useTask();
  const kinds = knownCategories();
  useEffect(() => void (category.value ||= kinds[0]?.category ?? ""), [kinds.length]);
  const addresses = photos.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const at = placed(place);
  const faults = {
    text: text.value.trim() === "" ? f("required") : "",
    place: at === null && area.value === "" ? w("pick_place") : "",
    photos: addresses.every((one) => /^https?:\/\/./.test(one)) ? "" : w("photos_bad"),
  };
  const shown = (fault: string): string => (asked.value ? fault : "");
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (Object.values(faults).some(Boolean)) return;
    void task.run(async () => {
      const answer = await post<Entered>("/v1/reports", {
        category: category.value, text: text.value.trim(), reporter: reporter.value, photos: addresses,
        place: at, area_id: area.value || null, phone: phone.value.trim() || null, reference: reference.value.trim() || null,
      });
      desk.learn(answer.incident);
      done(answer);
    });
  };
  return (
    <form class="split" noValidate onSubmit={submit}>
      <div class="stack">
        <Pick id="report-category" label={w("category")} value={category}
          options={kinds.map((one): Option => [one.category, `${said(one.name)} · ${w(one.kind)}`])} />
        <Prose id="report-text" label={w("report_text")} rows={4} value={text} fault={shown(faults.text)} />
        <div class="pair">
          <Pick id="report-reporter" label={w("reporter")} value={reporter} options={REPORTERS.map((one): Option => [one, w(`heard_${one}`)])} />
          <Text id="report-phone" label={w("phone")} hint={w("phone_hint")} type="tel" value={phone} />
        </div>
        <Text id="report-reference" label={w("reference")} hint={w("reference_hint")} value={reference} />
        <Prose id="report-photos" label={w("photos")} hint={w("photos_hint")} rows={2} value={photos} fault={shown(faults.photos)} />
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={w("report_go")} id="report-go" cancel={close} />
      </div>
      <div class="stack">
        <p class="soft">{w("place_hint")}</p>
        <PlacePicker place={place} desk={desk} id="report-place" />
        <Pick id="report-area" label={w("area")} value={area} fault={shown(faults.place)}
          options={[["", "—"], ...knownAreas().map((one): Option => [one.area_id, named(one)])]} />
      </div>
    </form>
  );
}
