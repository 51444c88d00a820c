import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, post } from "../api";
import { person } from "../login/session";
import { facts } from "../wall/format";
import type { Endpoint } from "./AddEndpoint";
import { may } from "./commands";
import { Failure } from "./Dialog";
import { moment } from "./moment";
import { knownPage, p } from "./page-texts";
import { useMore } from "./paging";
import { hashOf } from "./route";
import { ListEnd, Refresh, Sheet } from "./Sheet";
import { useTask } from "./task";

interface Attempt {
  at: string;
  status: number | null;
  error: string;
  latency_ms: number;
}

interface Delivery {
  delivery_id: string;
  endpoint_id: string;
  /** null: of a test. */
  incident_id: string | null;
  type: string;
  state: "queued" | "delivered" | "superseded" | "dead";
  attempts: Attempt[];
  due_at: string;
  created_at: string;
}

const PAGE = 50;
const STATES: readonly Delivery["state"][] = ["queued", "delivered", "superseded", "dead"];

/** The ledger: every push, every attempt. */
export function Deliveries({ endpoints }: { endpoints: readonly Endpoint[] }) {
  const state = useSignal("");
  const list = useMore<Delivery>((cursor, signal) =>
    get("/v1/deliveries", { state: state.value || null, limit: PAGE, cursor }, signal));
  useEffect(() => list.reload(), [state.value, endpoints]);
  const tools = (
    <>
      <select aria-label={p("delivery_state")} value={state.value} onChange={(event) => (state.value = event.currentTarget.value)}>
        <option value="">{p("every_state")}</option>
        {STATES.map((one) => <option key={one} value={one}>{p(one)}</option>)}
      </select>
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="deliveries" title={p("deliveries")} more="" tools={tools}>
      <table>
        <thead><tr>
          <th>{p("when")}</th><th>{p("event")}</th><th>{p("endpoint")}</th><th>{p("delivery_state")}</th>
          <th class="right">{p("attempts")}</th><th>{p("last_attempt")}</th><th>{p("incident")}</th><th><span class="unseen">{p("resend")}</span></th>
        </tr></thead>
        <tbody>
          {list.items.value.map((delivery) => <DeliveryRow key={delivery.delivery_id} delivery={delivery} endpoints={endpoints} />)}
        </tbody>
      </table>
      <ListEnd list={list} none={p("nothing")} />
    </Sheet>
  );
}

function DeliveryRow({ delivery, endpoints }: { delivery: Delivery; endpoints: readonly Endpoint[] }) {
  const endpoint = endpoints.find((one) => one.endpoint_id === delivery.endpoint_id);
  const last = delivery.attempts.at(-1);
  const tried = last && facts(String(last.status ?? ""), last.error, p("ms", { n: Math.round(last.latency_ms) }));
  const again = delivery.state === "queued" && last && p("next_try", { at: moment(delivery.due_at, Date.now()) });
  return (
    <tr data-testid={`delivery-${delivery.delivery_id}`} data-state={delivery.state}>
      <td class="figures-cell">{moment(delivery.created_at, Date.now())}</td>
      <td>{knownPage(delivery.type)}</td>
      <td><code>{endpoint?.url ?? p("gone")}</code></td>
      <td class={`delivery ${delivery.state}`}>{p(delivery.state)}</td>
      <td class="right figures-cell">{delivery.attempts.length}</td>
      <td>{tried ?? p("none_yet")}{again && <small>{again}</small>}</td>
      <td>{delivery.incident_id && <a href={hashOf("incidents", delivery.incident_id)}><code>{delivery.incident_id.slice(0, 8)}</code></a>}</td>
      <td class="right">{delivery.state !== "queued" && may(person.value?.role ?? "", "operator") && <Resend id={delivery.delivery_id} />}</td>
    </tr>
  );
}

function Resend({ id }: { id: string }) {
  const done = useSignal(false);
  const task = useTask();
  if (done.value) return <span class="soft" role="status">{p("resent")}</span>;
  return (
    <>
      <Failure error={task.failure.value} />
      <button type="button" class="link-button" aria-disabled={task.busy.value}
        onClick={() => void task.run(async () => { await post(`/v1/deliveries/${id}/resend`, {}); done.value = true; })}>{p("resend")}</button>
    </>
  );
}
