import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { get } from "../api";
import type { Domain } from "../live/protocol";
import { rise, written, type Contribution, type Explanation, type Sensors, type Sign } from "../signs/signs";
import { arrow, distance, duration, reading, v } from "../signs/texts";
import type { Board } from "./board";
import { facts } from "./format";
import type { Show } from "./show";
import { t } from "./texts";

/** How often to ask, by this machine's time, and what is too old, by the picture's. A replay may run at 60×. */
const LIVE = { everyMs: 30_000, oldMs: 150_000 };
const REPLAYED = { everyMs: 5_000, oldMs: 600_000 };
const LISTED = 8;
const COUNTED = ["normal", "alarm", "outside", "silent", "bad"] as const satisfies readonly (keyof Sensors)[];

interface Told {
  area: string;
  at: number;
  signs: readonly Sign[];
}

/** What the server has told last, kept while the panels turn. */
const told = signal<Told | null>(null);

/** The signs of the view's area, asked for again and again; none that are old. A replay asks of its own time. */
export function useSigns(board: Board, show: Show): (domain: Domain) => Sign | null {
  const now = board.beat.value;
  const area = show.view.value?.area_id ?? String(board.city.value?.adcode ?? "");
  const { everyMs, oldMs } = board.reel === null ? LIVE : REPLAYED;
  const turn = Math.floor(Date.now() / everyMs);
  useEffect(() => {
    if (area === "") return;
    const at = board.reel === null ? null : new Date(board.now()).toISOString();
    get<{ items: Sign[] }>("/v1/vital-signs", { area_id: area, at }).then(
      ({ items }) => void (told.value = { area, at: board.now(), signs: items }), () => undefined);
  }, [area, turn, board]);
  const known = told.value;
  // Without a link everything stays as it was last, under the banner that says so.
  const recent = (at: number): boolean => board.adrift.value || Math.abs(now - at) < oldMs;
  const fit = known !== null && known.area === area && recent(known.at);
  return (domain) => (fit ? known.signs.find((sign) => sign.domain === domain) ?? null : null);
}

/** A domain's name with its index: how it stands, and how it stood yesterday. */
export function SignHead({ domain, sign, board }: { domain: Domain; sign: Sign | null; board: Board }) {
  if (sign === null) return <h2>{t(domain)}</h2>;
  const change = rise(sign.index, sign.yesterday);
  const open = (): void => void (board.selection.value = { kind: "sign", id: domain });
  const label = v("why", { domain: t(domain), index: written(sign.index), band: v(sign.band) });
  return (
    <h2 class="sign">
      <button type="button" aria-label={label} onClick={open} disabled={board.reel !== null}>
        <span>{t(domain)}</span>
        {change !== null && <small>{v("day")} {arrow(change)}</small>}
        <em class={sign.band}>{v(sign.band)}</em>
        <b>{written(sign.index)}</b>
      </button>
    </h2>
  );
}

/** Which sensors cost a domain its points, how far outside they are, for how long. */
export function SignCard({ domain, board, area }: { domain: Domain; board: Board; area: string | null }) {
  const [why, setWhy] = useState<Explanation | null | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    get<Explanation>(`/v1/vital-signs/${domain}`, { area_id: area, limit: LISTED }).then(
      (found) => void (wanted && setWhy(found)), () => void (wanted && setWhy(null)));
    return () => void (wanted = false);
  }, [domain, area]);
  if (!why) return <p class="faint">{v(why === null ? "failed" : "loading")}</p>;
  const [day, week] = [rise(why.index, why.yesterday), rise(why.index, why.last_week)];
  const compared = facts(
    day === null ? v("no_past") : `${v("yesterday")} ${arrow(day)}`,
    week !== null && `${v("last_week")} ${arrow(week)}`,
  );
  return (
    <>
      <header class="sign-head">
        <h3>{facts(t(domain), v("index"))}</h3>
        <p><b>{written(why.index)}</b><em class={why.band}>{v(why.band)}</em><span>{compared}</span></p>
      </header>
      <p class="faint">{facts(...COUNTED.map((name) => why.sensors[name] > 0 && v(`n_${name}`, { n: why.sensors[name] })))}</p>
      {why.index === null && <p>{v("half_unheard")}</p>}
      {why.contributions.length === 0 && <p class="faint">{v("all_well")}</p>}
      <ul class="costs">
        {why.contributions.map((one) => <Cost key={one.sensor_id} one={one} board={board} />)}
      </ul>
      {why.more > 0 && <p class="faint">{v("more", { n: why.more })}</p>}
    </>
  );
}

function Cost({ one, board }: { one: Contribution; board: Board }) {
  const pick = (): void => void (board.selection.value = { kind: "sensor", id: one.sensor_id });
  return (
    <li>
      <button type="button" onClick={pick}>
        <span>{one.name || one.sensor_id}</span>
        <b>−{one.points.toFixed(one.points < 0.995 ? 2 : 1)}</b>
        <small>{facts(reading(one), distance(one), duration(one, board.beat.value))}</small>
      </button>
    </li>
  );
}
