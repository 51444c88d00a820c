import { get } from "../../api";
import { named } from "../../i18n";
import { rise, written, type Explanation, type Figure, type Sign } from "../../signs/signs";
import { arrow, distance, duration, reading, v } from "../../signs/texts";
import { facts, number, scaled } from "../../wall/format";
import type { Desk } from "../desk";
import { Failure } from "../Dialog";
import { hashOf } from "../route";
import { useOne } from "../task";
import { Past } from "./Past";
import { x } from "./texts";

const LISTED = 30;
const COUNTED = ["normal", "alarm", "outside", "silent", "bad", "never"] as const;

/** One area's domain: its index against yesterday and last week, its day, its figures, what costs it points. */
export function Why({ sign, beat, desk }: { sign: Sign; beat: number; desk: Desk }) {
  const { area_id, domain, sensors } = sign;
  const why = useOne<Explanation>((signal) => get(`/v1/vital-signs/${domain}`, { area_id, limit: LISTED }, signal), [area_id, domain, beat]);
  const [day, week] = [rise(sign.index, sign.yesterday), rise(sign.index, sign.last_week)];
  const title = x("domain_of", { area: named(sign), domain: x(domain) });
  return (
    <section class="vital-why" aria-label={title} data-testid="vital-why">
      <h3>{title}</h3>
      <p class="vital-index">
        <b data-testid="vital-index">{written(sign.index)}</b><em class={sign.band}>{v(sign.band)}</em>
        <span>{facts(
          `${v("yesterday")} ${day === null ? "—" : arrow(day)}`, `${v("last_week")} ${week === null ? "—" : arrow(week)}`,
          x("heard", { n: Math.round(100 * sign.heard) }),
        )}</span>
      </p>
      <p class="soft">{facts(...COUNTED.map((name) => sensors[name] > 0 && v(`n_${name}`, { n: sensors[name] })))}</p>
      <Past area={area_id} domain={domain} now={desk.board.now()} beat={beat} />
      <Figures figures={sign.figures} />
      <h4>{x("costs")}</h4>
      <Failure error={why.error.value} />
      {why.value.value && <Costs why={why.value.value} desk={desk} />}
    </section>
  );
}

function Figures({ figures }: { figures: readonly Figure[] }) {
  if (figures.length === 0) return null;
  return (
    <table class="vital-figures">
      <thead><tr><th>{x("figures")}</th><th class="right">{x("now")}</th><th class="right">{x("yesterday")}</th><th class="right">{x("last_week")}</th></tr></thead>
      <tbody>
        {figures.map((one) => {
          const most = Math.max(...[one.value, one.yesterday, one.last_week].map((value) => Math.abs(value ?? 0)), 1);
          const [shown, unit] = scaled(most, one.unit);
          const say = (value: number | null): string => (value === null ? "—" : number(value * (shown / most)));
          return (
            <tr key={one.metric}>
              <td>{named(one)} <small>{facts(x(one.summary), unit)}</small></td>
              <td class="right figures-cell"><b>{say(one.value)}</b></td>
              <td class="right figures-cell">{say(one.yesterday)}</td>
              <td class="right figures-cell">{say(one.last_week)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Costs({ why, desk }: { why: Explanation; desk: Desk }) {
  if (why.contributions.length === 0) return <p class="soft">{v("all_well")}</p>;
  return (
    <>
      <table class="vital-costs" data-testid="vital-costs">
        <thead><tr><th>{x("sensor")}</th><th>{x("reading")}</th><th>{x("away")}</th><th>{x("lasting")}</th><th class="right">{x("points")}</th></tr></thead>
        <tbody>
          {why.contributions.map((one) => (
            <tr key={one.sensor_id}>
              <td><a href={hashOf("sensors", one.sensor_id)}>{one.name || one.sensor_id}</a></td>
              <td>{named(one)} <b>{reading(one)}</b>{one.cause === "alarm" && <em> {v("alarm")}</em>}</td>
              <td>{distance(one) || "—"}</td>
              <td class="figures-cell">{duration(one, desk.board.now()) || "—"}</td>
              <td class="right figures-cell">−{one.points.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {why.more > 0 && <p class="soft">{v("more", { n: why.more })}</p>}
    </>
  );
}
