import { named } from "../i18n";
import { STATES, State, type Priority } from "../live/protocol";
import { number, scaled, span } from "../wall/format";
import { Shape } from "../wall/Shape";
import type { Desk } from "./desk";
import { knownPage } from "./page-texts";
import type { Sensor } from "./sensor";

/** Redrawn once a second by itself; the table around it is not. */
export function Readings({ sensor, desk }: { sensor: Sensor; desk: Desk }) {
  const now = desk.board.beat.value;
  const { sensors, series, metrics } = desk.board.picture;
  const own = sensors.series[sensors.indexOf.get(sensor.sensor_id) ?? -1] ?? [];
  if (sensor.metrics.length > 1 && own.every((index) => series.state[index] === State.never)) {
    return <span class="soft">{sensor.metrics.map((code) => named(metrics.get(code)) || code).join(" · ")}　{knownPage("state_never")}</span>;
  }
  return (
    <ul class="readings">
      {sensor.metrics.map((code) => {
        const index = own.find((one) => series.metric[one] === code);
        const rank = index === undefined ? State.never : series.state[index] ?? State.never;
        const metric = metrics.get(code);
        const [figure, unit] = scaled(index === undefined ? NaN : series.value[index] ?? NaN, metric?.unit ?? "");
        const at = index === undefined ? NaN : series.observedAt[index] ?? NaN;
        return (
          <li key={code} class={`reading ${STATES[rank]}`}>
            {rank >= State.p4 && <Shape priority={(State.p1 - rank + 1) as Priority} />}
            <span>{named(metric) || code}</span>
            <b>{number(figure)} <small>{unit}</small></b>
            <i>{rank === State.normal ? span(now - at) : knownPage(`state_${STATES[rank]}`)}</i>
          </li>
        );
      })}
    </ul>
  );
}
