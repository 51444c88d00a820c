import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, remove } from "../api";
import { person } from "../login/session";
import { inWords } from "../login/wording";
import { AddEndpoint, type Endpoint } from "./AddEndpoint";
import { Deliveries } from "./Deliveries";
import { moment } from "./moment";
import { knownPage, p } from "./page-texts";
import { useMore } from "./paging";
import { ListEnd, Refresh, Sheet } from "./Sheet";

/** Where incidents are pushed to, and what became of every push. */
export function Push() {
  const list = useMore<Endpoint>((_cursor, signal) => get("/v1/endpoints", {}, signal));
  const adding = useSignal(false);
  const admin = person.value?.role === "admin";
  useEffect(() => list.reload(), []);
  const tools = (
    <>
      {admin && (
        <button type="button" class="action usual" data-testid="endpoint-add" aria-expanded={adding.value}
          onClick={() => (adding.value = !adding.value)}>{p("add")}</button>
      )}
      <Refresh list={list} />
    </>
  );
  return (
    <div class="sheets">
      <Sheet id="endpoints" title={p("endpoints")} more={p(admin ? "endpoints_more" : "admin_only")} tools={tools}>
        {adding.value && (
          <AddEndpoint added={() => list.reload()} close={() => (adding.value = false)} />
        )}
        <table>
          <thead><tr><th>{p("url")}</th><th>{p("events")}</th><th>{p("delivery_state")}</th><th>{p("created")}</th><th><span class="unseen">{p("remove")}</span></th></tr></thead>
          <tbody>
            {list.items.value.map((endpoint) => (
              <EndpointRow key={endpoint.endpoint_id} endpoint={endpoint} admin={admin} changed={() => list.reload()} />
            ))}
          </tbody>
        </table>
        <ListEnd list={list} none={p("no_endpoints")} />
      </Sheet>
      <Deliveries endpoints={list.items.value} />
    </div>
  );
}

function EndpointRow({ endpoint, admin, changed }: { endpoint: Endpoint; admin: boolean; changed: () => void }) {
  const sure = useSignal(false), failure = useSignal<unknown>(null);
  const forget = async (): Promise<void> => {
    try {
      await remove(`/v1/endpoints/${endpoint.endpoint_id}`);
      changed();
    } catch (error) {
      failure.value = error;
    }
  };
  return (
    <tr data-testid={`endpoint-${endpoint.endpoint_id}`}>
      <td><code>{endpoint.url}</code></td>
      <td>{endpoint.events.includes("*") ? p("every_event") : endpoint.events.map(knownPage).join(" ")}</td>
      <td>{endpoint.enabled ? p("enabled") : <em class="late">{p("disabled")}</em>}</td>
      <td class="figures-cell">{moment(endpoint.created_at, Date.now())}</td>
      <td class="right">
        {failure.value !== null && <span class="problem" role="alert">{inWords(failure.value)}</span>}
        {admin && !sure.value && (
          <button type="button" class="link-button" onClick={() => (sure.value = true)}>{p("remove")}</button>
        )}
        {sure.value && (
          <span class="sure">
            {p("remove_sure")}
            <button type="button" class="plain danger" onClick={() => void forget()}>{p("remove_yes")}</button>
            <button type="button" class="plain" onClick={() => (sure.value = false)}>{p("cancel")}</button>
          </span>
        )}
      </td>
    </tr>
  );
}
