import "./vitals.css";

import { get } from "../../api";
import { named } from "../../i18n";
import type { Domain } from "../../live/protocol";
import { rise, written, type Sign } from "../../signs/signs";
import { arrow, v } from "../../signs/texts";
import { DOMAINS } from "../../live/protocol";
import type { Desk } from "../desk";
import { Failure } from "../Dialog";
import type { Answer } from "../paging";
import { hashOf, route } from "../route";
import { Sheet } from "../Sheet";
import { useOne } from "../task";
import { Air, Roads, type AreaAir, type AreaTraffic, type Hourly } from "./Hours";
import { x } from "./texts";
import { Why } from "./Why";

const ASK_EVERY_MS = 30_000;
const HOURS_EVERY_MS = 300_000;

/** How every area runs in every domain; beside it one of them: why, and how it was. */
export function VitalSigns({ desk }: { desk: Desk }) {
  const now = desk.board.beat.value;
  const beat = Math.floor(now / ASK_EVERY_MS);
  const signs = useOne<Answer<Sign>>((signal) => get("/v1/vital-signs", {}, signal), [beat]);
  const slow = Math.floor(now / HOURS_EVERY_MS);
  const air = useOne<Hourly<AreaAir>>((signal) => get("/v1/air-quality", {}, signal), [slow]);
  const roads = useOne<Hourly<AreaTraffic>>((signal) => get("/v1/traffic-state", {}, signal), [slow]);
  const items = signs.value.value?.items ?? [];
  const areas = items.filter((one) => one.domain === DOMAINS[0]);
  const [chosenArea, chosenDomain] = chosen(route.value.item, items);
  const sign = items.find((one) => one.area_id === chosenArea && one.domain === chosenDomain);
  return (
    <Sheet id="vitals" title={x("title")} more={x("more")}>
      <Failure error={signs.error.value} />
      <div class="vital-grid">
        <table class="vital-areas">
          <thead><tr>
            <th>{x("area")}</th>
            {DOMAINS.map((domain) => <th key={domain}>{x(domain)}</th>)}
            <th>{x("air")}</th><th>{x("roads")}</th>
          </tr></thead>
          <tbody>
            {areas.map((area) => (
              <tr key={area.area_id} data-testid={`vital-${area.area_id}`}>
                <td><b>{named(area)}</b></td>
                {DOMAINS.map((domain) => {
                  const own = items.find((one) => one.area_id === area.area_id && one.domain === domain);
                  return <td key={domain}>{own && <Cell sign={own} chosen={own === sign} />}</td>;
                })}
                <td><Air hourly={air.value.value} area={area.area_id} /></td>
                <td><Roads hourly={roads.value.value} area={area.area_id} /></td>
              </tr>
            ))}
          </tbody>
        </table>
        {sign && <Why key={`${sign.area_id}.${sign.domain}`} sign={sign} beat={beat} desk={desk} />}
      </div>
    </Sheet>
  );
}

/** `441202.traffic`; what is not there is the worst of the city's own domains. */
function chosen(item: string | null, items: readonly Sign[]): [string, Domain] {
  const [area = "", domain = ""] = (item ?? "").split(".");
  const found = items.find((one) => one.area_id === area && one.domain === domain)
    ?? items.filter((one) => one.parent_id === null).sort((a, b) => (a.index ?? -1) - (b.index ?? -1))[0];
  return [found?.area_id ?? "", found?.domain ?? "traffic"];
}

function Cell({ sign, chosen }: { sign: Sign; chosen: boolean }) {
  const change = rise(sign.index, sign.yesterday);
  return (
    <a class={`vital-cell ${sign.band}`} href={hashOf("vitals", `${sign.area_id}.${sign.domain}`)}
      aria-current={chosen ? "true" : undefined} data-testid={`vital-${sign.area_id}.${sign.domain}`}>
      <span class="unseen">{named(sign)} {x(sign.domain)} {v("index")} </span>
      <b>{written(sign.index)}</b> <em>{v(sign.band)}</em>
      {change !== null && <small>{arrow(change)}</small>}
    </a>
  );
}
