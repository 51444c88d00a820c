import type { Signal } from "@preact/signals";

import { named } from "../../i18n";
import { PRIORITIES } from "../../map/markers";
import { Checks, Pick, Text, type Option } from "../Fields";
import { departmentOptions, knownAreas, knownCategories, knownMetrics, said } from "../reference";
import { t, type Text as ConsoleText } from "../strings";
import { KINDS, faults, foresees, type Kind, type RuleForm } from "./form";
import { r, type RuleText } from "./texts";

function spanText(kind: Kind): RuleText {
  if (foresees(kind)) return "ahead";
  return kind === "absent" ? "silent" : kind === "stuck" ? "still" : "over";
}

/** A rule as fields. `fixed`: one that exists keeps its id. */
export function RuleFields({ form, asked, fixed }: { form: Signal<RuleForm>; asked: boolean; fixed: boolean }) {
  const now = form.value;
  const wrong = faults(now);
  const fault = (field: keyof RuleForm): string =>
    !asked || !wrong.has(field) ? "" : r(["id", "zh", "metric"].includes(field) ? "need" : "need_number");
  const unit = knownMetrics().find((one) => one.metric === now.metric)?.unit ?? "";
  const limited = now.kind !== "absent" && now.kind !== "stuck";
  const spanned = now.kind !== "above" && now.kind !== "below";
  const field = <K extends keyof RuleForm>(name: K): Signal<RuleForm[K]> => fieldOf(form, name);
  return (
    <div class="stack">
      <div class="pair">
        <Text id="rule-zh" label={r("title_zh")} value={field("zh")} fault={fault("zh")} />
        <Text id="rule-en" label={r("title_en")} value={field("en")} />
      </div>
      <div class="pair">
        <Text id="rule-id" label={r("id")} hint={r("id_hint")} value={field("id")} disabled={fixed} fault={fault("id")} />
        <Pick id="rule-metric" label={r("metric")} value={field("metric")} fault={fault("metric")}
          options={[["", "—"], ...knownMetrics().map((one): Option => [one.metric, `${named(one)} ${one.unit}`])]} />
      </div>
      <div class="trio">
        <Pick id="rule-kind" label={r("kind")} value={field("kind") as unknown as Signal<string>} options={KINDS.map((one): Option => [one, r(`k_${one}`)])} />
        {limited && <Text id="rule-limit" label={r("limit", { unit })} type="number" value={field("limit")} fault={fault("limit")} />}
        {spanned && <Text id="rule-over" label={r(spanText(now.kind))} type="number" value={field("over")} fault={fault("over")} />}
        {limited && <Text id="rule-hold" label={r("hold")} type="number" value={field("hold")} fault={fault("hold")} />}
        {(!spanned || foresees(now.kind)) && <Text id="rule-deadband" label={r("deadband", { unit })} type="number" value={field("deadband")} fault={fault("deadband")} />}
      </div>
      <div class="trio">
        <Pick id="rule-priority" label={r("priority")} value={field("priority")} options={scale("p")} />
        <Pick id="rule-grade" label={r("grade")} value={field("grade")} options={scale("grade_")} />
        <Text id="rule-deadline" label={r("deadline")} type="number" value={field("deadline")} fault={fault("deadline")} />
      </div>
      <div class="pair">
        <Pick id="rule-department" label={r("department")} value={field("department")}
          options={[["", r("none")], ...departmentOptions(now.department, now.category || null)]} />
        <Pick id="rule-category" label={r("category")} value={field("category")}
          options={[["", r("none")], ...knownCategories().map((one): Option => [one.category, said(one.name)])]} />
      </div>
      <Checks id="rule-areas" label={r("areas")} none={r("everywhere")} value={field("areas")}
        options={knownAreas().filter((one) => one.level === "district").map((one): Option => [one.area_id, named(one)])} />
      <Text id="rule-sensors" label={r("sensors")} hint={r("sensors_hint")} value={field("sensors")} />
    </div>
  );
}

/** One field of the form as a signal of its own. */
function fieldOf<K extends keyof RuleForm>(form: Signal<RuleForm>, name: K): Signal<RuleForm[K]> {
  return {
    get value() { return form.value[name]; },
    set value(next: RuleForm[K]) { form.value = { ...form.value, [name]: next }; },
  } as Signal<RuleForm[K]>;
}

function scale(prefix: "p" | "grade_"): Option[] {
  return PRIORITIES.map((step): Option => [String(step), t(`${prefix}${step}` as ConsoleText)]);
}

