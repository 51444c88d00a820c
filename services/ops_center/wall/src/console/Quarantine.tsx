import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import type { Desk } from "./desk";
import { moment } from "./moment";
import { knownPage, p } from "./page-texts";
import { useMore } from "./paging";
import { QuarantineDialog } from "./QuarantineDialog";
import { hashOf, route, show } from "./route";
import { ListEnd, Refresh, Sheet } from "./Sheet";

interface SetAside {
  id: number;
  code: string;
  detail: string;
  source: string;
  state: "waiting" | "replayed" | "discarded";
  item: unknown;
  index: number;
  topic: string;
  partition: number;
  offset: number;
  quarantined_at: string;
}

const PAGE = 100;
const RAW_SHOWN = 240;
const TYPING_MS = 250;
const CODES = [
  "malformed", "invalid_type", "invalid_value", "unknown_field", "unknown_sensor", "unknown_metric",
  "out_of_range", "in_future", "too_old", "forbidden", "too_large", "conflict",
];

/** What could not be taken, and why. */
export function Quarantine({ desk }: { desk: Desk }) {
  const code = useSignal(""), source = useSignal(""), state = useSignal("waiting");
  const list = useMore<SetAside>((cursor, signal) => get("/v1/quarantine", {
    state: state.value || null, code: code.value || null, source: source.value.trim() || null, limit: PAGE, cursor,
  }, signal));
  useEffect(() => {
    const timer = setTimeout(() => list.reload(), TYPING_MS);
    return () => clearTimeout(timer);
  }, [code.value, source.value, state.value]);
  const { item } = route.value;
  const tools = (
    <>
      <select aria-label={p("delivery_state")} data-testid="quarantine-state" value={state.value} onChange={(event) => (state.value = event.currentTarget.value)}>
        <option value="">{p("every_state")}</option>
        {(["waiting", "replayed", "discarded"] as const).map((one) => <option key={one} value={one}>{p(`held_${one}`)}</option>)}
      </select>
      <select aria-label={p("code")} value={code.value} onChange={(event) => (code.value = event.currentTarget.value)}>
        <option value="">{p("every_code")}</option>
        {CODES.map((one) => <option key={one} value={one}>{knownPage(one)}</option>)}
      </select>
      <input type="search" data-search aria-label={p("source_search")} placeholder={p("source_search")} value={source.value}
        onInput={(event) => (source.value = event.currentTarget.value)} />
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="quarantine" title={p("quarantine")} more={p("quarantine_more")} tools={tools}>
      <table>
        <thead><tr>
          <th>{p("when")}</th><th>{p("code")}</th><th>{p("detail")}</th><th>{p("source")}</th><th>{p("item")}</th><th>{p("where")}</th>
        </tr></thead>
        <tbody>
          {list.items.value.map((one) => (
            <tr key={one.id} data-testid={`quarantined-${one.id}`}>
              <td class="figures-cell"><a href={hashOf("quarantine", String(one.id))} data-testid="quarantine-open">{moment(one.quarantined_at, desk.board.now())}</a><small>{p(`held_${one.state}`)}</small></td>
              <td>{knownPage(one.code)}<small><code>{one.code}</code></small></td>
              <td>{one.detail}</td>
              <td>{one.source}</td>
              <td class="raw"><code>{JSON.stringify(one.item).slice(0, RAW_SHOWN)}</code></td>
              <td class="figures-cell"><code>{one.topic} {one.partition}/{one.offset}{one.index >= 0 ? ` #${one.index}` : ""}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none={p("empty_quarantine")} />
      {/^\d+$/.test(item ?? "") && (
        <QuarantineDialog key={item} id={Number(item)} close={() => show("quarantine")} changed={() => list.reload()} />
      )}
    </Sheet>
  );
}
