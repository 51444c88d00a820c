import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, patch, post, remove } from "../api";
import { person } from "../login/session";
import { AddEndpoint, type Endpoint } from "./AddEndpoint";
import { Deliveries } from "./Deliveries";
import { Failure, Once } from "./Dialog";
import { moment } from "./moment";
import { knownPage, p } from "./page-texts";
import { useMore } from "./paging";
import { useSecret } from "./setup/secret";
import { ListEnd, Refresh, Sheet } from "./Sheet";
import { Sure } from "./Sure";
import { useTask } from "./task";

/** Where incidents are pushed to, and what became of every push. */
export function Push() {
  const list = useMore<Endpoint>((_cursor, signal) => get("/v1/endpoints", {}, signal));
  const adding = useSignal(false);
  const admin = person.value?.role === "admin";
  useEffect(() => list.reload(), []);
  const tools = (
    <>
      {admin && (
        <button type="button" class="action usual" data-testid="endpoint-add" data-new aria-keyshortcuts="n" aria-expanded={adding.value}
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
          <thead><tr><th>{p("url")}</th><th>{p("channel")}</th><th>{p("events")}</th><th>{p("delivery_state")}</th><th>{p("created")}</th><th><span class="unseen">{p("remove")}</span></th></tr></thead>
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
  const path = `/v1/endpoints/${endpoint.endpoint_id}`;
  const task = useTask();
  const secret = useSecret();
  const rotate = (): void => void task.run(async () => {
    const made = await post<{ secret: string }>(`${path}/rotate`, {});
    secret.held.value = { title: p("secret_for", { url: endpoint.url }), secret: made.secret };
  });
  const after = (work: Promise<unknown>): void => void task.run(() => work.then(changed));
  return (
    <tr data-testid={`endpoint-${endpoint.endpoint_id}`}>
      <td>{endpoint.name && <b>{endpoint.name} </b>}<code>{endpoint.url}</code>
        {secret.held.value && <Once {...secret.held.value} copied={secret.copied.value} copy={secret.copy} done={() => (secret.held.value = null)} />}</td>
      <td>{knownPage(`ch_${endpoint.channel ?? "webhook"}`)}</td>
      <td>{endpoint.events.length === 0 ? p("page_only") : endpoint.events.includes("*") ? p("every_event") : endpoint.events.map(knownPage).join(" ")}</td>
      <td>{endpoint.enabled ? p("enabled") : <em class="late">{p("disabled")}</em>}</td>
      <td class="figures-cell">{moment(endpoint.created_at, Date.now())}</td>
      <td class="right">
        <Failure error={task.failure.value} />
        <span class="row-tools">
          {endpoint.enabled && <Probe path={path} />}
          {admin && (
            <>
              <button type="button" class="link-button" aria-disabled={task.busy.value} onClick={() => after(patch(path, { enabled: !endpoint.enabled }))}>{p(endpoint.enabled ? "switch_off" : "switch_on")}</button>
              {(endpoint.channel ?? "webhook") === "webhook" && <Sure id="endpoint-rotate" label={p("rotate")} question={p("rotate_sure")} act={rotate} />}
              <Sure id="endpoint-remove" label={p("remove")} question={p("remove_sure")} act={() => after(remove(path))} />
            </>
          )}
        </span>
      </td>
    </tr>
  );
}

interface Probed {
  state: string;
  attempts: { status: number | null; error: string; latency_ms: number }[];
}

/** Sends a test message, once, and says how it went. */
function Probe({ path }: { path: string }) {
  const found = useSignal<Probed | null>(null);
  const task = useTask();
  const last = found.value?.attempts.at(-1);
  const good = found.value?.state === "delivered";
  return (
    <>
      <Failure error={task.failure.value} />
      {last && (
        <span role="status" class={good ? "soft" : "late"} data-testid="endpoint-tested" data-state={found.value?.state}>
          {good ? p("test_ok", { n: Math.round(last.latency_ms) }) : p("test_bad", { why: [last.status ?? "", last.error].join(" ").trim() })}
        </span>
      )}
      <button type="button" class="link-button" aria-disabled={task.busy.value} data-testid="endpoint-test"
        onClick={() => void task.run(async () => { found.value = await post<Probed>(`${path}/test`, {}); })}>{p(task.busy.value ? "testing" : "test")}</button>
    </>
  );
}
