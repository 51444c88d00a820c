import { useSignal } from "@preact/signals";

import { patch, post } from "../../api";
import { named } from "../../i18n";
import { Dialog, Failure } from "../Dialog";
import { Checks, Pick, Send, Text, type Option } from "../Fields";
import { f } from "../form-texts";
import { knownAreas, knownCategories, said } from "../reference";
import { useTask } from "../task";
import { COLOURS, type Neighbour } from "./neighbour";
import { n } from "./neighbour-texts";

/** A new neighbour, or another name, address or interest for one. `own`: this city's adcode. */
export function NeighbourDialog({ of: city, own, close, made, changed }: {
  of: Neighbour | null; own: number; close: () => void; made: (name: string, secret: string) => void; changed: () => void;
}) {
  const adcode = useSignal(city === null ? "" : String(city.adcode)), zh = useSignal(city?.name_zh ?? ""), en = useSignal(city?.name_en ?? "");
  const url = useSignal(city?.url ?? ""), secret = useSignal(""), patience = useSignal(city === null ? "60" : String(city.silent_after_minutes ?? ""));
  const least = useSignal<string>(city === null ? "orange" : city.interest?.least ?? "none");
  const categories = useSignal<readonly string[]>(city?.interest?.categories ?? []), areas = useSignal<readonly string[]>(city?.interest?.areas ?? []);
  const asked = useSignal(false), task = useTask();
  const empty = (value: string): string => (asked.value && value.trim() === "" ? f("required") : "");
  const odd = asked.value && ![adcode.value, patience.value || "1"].every((text) => Number(text) > 0) ? f("number") : "";
  const submit = (event: Event): void => {
    event.preventDefault();
    asked.value = true;
    if ([zh, en, url].some((one) => one.value.trim() === "") || !(Number(adcode.value) > 0) || Number.isNaN(Number(patience.value))) return;
    const body = {
      name_zh: zh.value.trim(), name_en: en.value.trim(), url: url.value.trim(),
      silent_after_minutes: patience.value.trim() === "" ? null : Number(patience.value),
      interest: least.value === "none" ? null : { least: least.value, categories: categories.value, areas: areas.value },
      ...(secret.value.trim() !== "" && { secret: secret.value.trim() }),
    };
    void task.run(async () => {
      if (city !== null) await patch(`/v1/neighbours/${city.adcode}`, body);
      else {
        const answer = await post<{ secret: string }>("/v1/neighbours", { adcode: Number(adcode.value), ...body });
        if (secret.value.trim() === "") made(named(body), answer.secret);
      }
      changed();
      close();
    });
  };
  return (
    <Dialog id="neighbour-dialog" title={n(city === null ? "add" : "change")} close={close} wide>
      <form class="stack" noValidate onSubmit={submit}>
        <div class="pair">
          <Text id="neighbour-zh" label={n("name_zh")} value={zh} fault={empty(zh.value)} />
          <Text id="neighbour-en" label={n("name_en")} value={en} fault={empty(en.value)} />
        </div>
        <div class="pair">
          <Text id="neighbour-adcode" label={n("adcode")} type="number" value={adcode} fault={empty(adcode.value) || odd} disabled={city !== null} />
          <Text id="neighbour-silent" label={n("silent_after")} hint={n("silent_hint")} type="number" value={patience} fault={odd} />
        </div>
        <Text id="neighbour-url" label={n("url")} hint={n("url_hint", { own })} type="url" value={url} fault={empty(url.value)} />
        <Text id="neighbour-secret" label={`${n("secret")} · ${f("optional")}`} hint={n(city === null ? "secret_hint" : "secret_again")} value={secret} />
        <Pick id="neighbour-least" label={n("tells")} value={least}
          options={[["none", n("nothing")], ...COLOURS.map((one): Option => [one, n("at_least", { colour: n(one) })])]} />
        {least.value !== "none" && (
          <>
            <Checks id="neighbour-categories" label={n("categories")} value={categories} none={n("every")}
              options={knownCategories().map((one): Option => [one.category, said(one.name)])} />
            <Checks id="neighbour-areas" label={n("areas")} value={areas} none={n("every")}
              options={knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])} />
          </>
        )}
        <Failure error={task.failure.value} />
        <Send busy={task.busy.value} label={f("save")} id="neighbour-save" cancel={close} />
      </form>
    </Dialog>
  );
}
