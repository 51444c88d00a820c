import { language, messages } from "../i18n";
import type { Forecast } from "../wall/forecast";
import { minute, number, scaled } from "../wall/format";
import "./foretold.css";

const f = messages(
  {
    ready: "虚线与色带为预测（约五分之四落在带内），截至 {at} 的读数",
    good: "；近一周提前 {hours} 小时平均误差 {mae}，比照搬往日同时段小 {share}", bad: "；近一周提前 {hours} 小时平均误差 {mae}，并不比照搬往日同时段好",
    alone: "；近一周提前 {hours} 小时平均误差 {mae}",
  },
  {
    ready: "Dashed line and band: forecast (about four of five lie within), from readings up to {at}",
    good: "; {hours} h ahead it was {mae} off on average last week, {share} less than the same time before", bad: "; {hours} h ahead it was {mae} off on average last week, no better than the same time before",
    alone: "; {hours} h ahead it was {mae} off on average last week",
  },
);

/** What the band is, and how good it has been; or why there is none. */
export function Foretold({ found, unit }: { found: Forecast; unit: string }) {
  if (found.state === "not_chosen") return null;
  const said = found.state === "ready" ? f("ready", { at: minute(Date.parse(found.made_at ?? "")) }) + lately(found, unit)
    : found.why?.[language.value] ?? "";
  return <p class="foretold" data-testid="forecast" data-state={found.state}>{said}</p>;
}

function lately({ lately: [first] }: Forecast, unit: string): string {
  if (first === undefined) return "";
  const [size, shown] = scaled(first.mae, unit);
  const values = { hours: first.hours, mae: `${number(size)} ${shown}`.trim() };
  if (first.naive_mae === null) return f("alone", values);
  const less = 1 - first.mae / first.naive_mae;
  return less > 0.005 ? f("good", { ...values, share: `${Math.round(less * 100)} %` }) : f("bad", values);
}
