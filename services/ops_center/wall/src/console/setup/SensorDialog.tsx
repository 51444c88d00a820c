import { useSignal } from "@preact/signals";

import { put } from "../../api";
import { named } from "../../i18n";
import type { Desk } from "../desk";
import { Dialog, Failure } from "../Dialog";
import { Checks, Pick, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { knownMetrics } from "../reference";
import type { Sensor } from "../sensor";
import { useTask } from "../task";
import { PlacePicker, placed } from "../work/PlacePicker";
import { s } from "./texts";

const ID = /^[A-Za-z0-9._:-]{1,64}$/;

/** A new sensor, or another name, other metrics or another place for one. */
export function SensorDialog({ of: sensor, desk, close, saved }: {
  of: Sensor | null; desk: Desk; close: () => void; saved: (sensor: Sensor) => void;
}) {
  const id = useSignal(sensor?.sensor_id ?? ""), name = useSignal(sensor?.name ?? "");
  const metrics = useSignal<readonly string[]>(sensor?.metrics ?? []), crs = useSignal("wgs84");
  const place = { lon: useSignal(sensor?.location ? String(sensor.location.lon) : ""), lat: useSignal(sensor?.location ? String(sensor.location.lat) : "") };
  const asked = useSignal(false);
  const task = useTask();
  const badId = ID.test(id.value) ? "" : s("bad_id");
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if (badId !== "" || metrics.value.length === 0) return;
    const body = { name: name.value.trim(), metrics: metrics.value, location: placed(place), retired: sensor?.retired ?? false };
    void task.run(async () => {
      saved(await put<Sensor>(`/v1/sensors/${encodeURIComponent(id.value)}?crs=${crs.value}`, body));
      close();
    });
  };
  return (
    <Dialog id="sensor-dialog" title={s(sensor === null ? "sensor_new" : "sensor_edit")} close={close} wide>
      <form class="split" noValidate onSubmit={submit}>
        <div class="stack">
          <Text id="sensor-id" label={s("sensor_id")} hint={s("sensor_id_hint")} value={id} disabled={sensor !== null} fault={asked.value ? badId : ""} />
          <Text id="sensor-name" label={s("sensor_name")} value={name} />
          <Checks id="sensor-metrics" label={s("metrics")} value={metrics}
            options={knownMetrics().map((one): Option => [one.metric, `${named(one)} ${one.unit}`])} />
          {asked.value && metrics.value.length === 0 && <p class="problem" role="alert">{s("need_metric")}</p>}
          <Failure error={task.failure.value} />
          <Send busy={task.busy.value} label={f("save")} id="sensor-save" cancel={close} />
        </div>
        <div class="stack">
          <PlacePicker place={place} desk={desk} id="sensor-place" />
          <Pick id="sensor-crs" label={s("crs")} value={crs} options={[["wgs84", s("crs_wgs84")], ["gcj02", s("crs_gcj02")], ["bd09", s("crs_bd09")]]} />
        </div>
      </form>
    </Dialog>
  );
}
