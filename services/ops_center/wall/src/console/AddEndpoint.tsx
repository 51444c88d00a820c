import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { post } from "../api";
import { inWords } from "../login/wording";
import { Once, sendOnEnter } from "./Dialog";
import { Pick, Text, type Option } from "./Fields";
import { knownPage, p } from "./page-texts";
import { useSecret } from "./setup/secret";

export interface Endpoint {
  endpoint_id: string;
  url: string;
  name?: string;
  channel?: string;
  events: string[];
  enabled: boolean;
  created_at: string;
}

const CHANNELS = ["webhook", "dingtalk", "feishu", "wecom", "email", "slack", "alertmanager"];
/** Those whose secret the receiver gives out. */
const SIGNED = ["dingtalk", "feishu", "alertmanager"];
const EVENTS = ["opened", "cleared", "refired", "acknowledged", "dispatched", "started", "resolved", "closed", "reopened"]
  .map((name) => `incident.${name}`);

/** The form, and afterwards the secret, which the server never shows again. */
export function AddEndpoint({ added, close }: { added: () => void; close: () => void }) {
  const { held, copied, copy } = useSecret();
  if (held.value !== null) return <Once {...held.value} copied={copied.value} copy={copy} done={close} />;
  const made = (endpoint: Endpoint & { secret: string }): void => {
    if (endpoint.secret) held.value = { title: p("secret_for", { url: endpoint.url }), secret: endpoint.secret };
    else close();
    added();
  };
  return <Form made={made} close={close} />;
}

function Form({ made, close }: { made: (endpoint: Endpoint & { secret: string }) => void; close: () => void }) {
  const name = useSignal(""), channel = useSignal("webhook"), language = useSignal("zh"), signing = useSignal("");
  const url = useSignal(""), every = useSignal(true), events = useSignal<readonly string[]>([]);
  const busy = useSignal(false), failure = useSignal("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    failure.value = fault(channel.value, url.value.trim(), every.value, events.value);
    if (failure.value !== "") return;
    busy.value = true;
    try {
      made(await post("/v1/endpoints", {
        url: url.value.trim(), events: every.value ? ["*"] : events.value, name: name.value.trim(), channel: channel.value, language: language.value,
        ...(SIGNED.includes(channel.value) && signing.value.trim() !== "" && { secret: signing.value.trim() }),
      }));
    } catch (error) {
      failure.value = inWords(error);
    } finally {
      busy.value = false;
    }
  };
  const flip = (name: string): void => {
    events.value = events.value.includes(name) ? events.value.filter((one) => one !== name) : [...events.value, name];
  };
  return (
    <form class="command add-endpoint" noValidate onSubmit={(event) => void submit(event)} onKeyDown={sendOnEnter} data-testid="endpoint-form">
      <div class="trio">
        <Text id="endpoint-name" label={p("name_of")} value={name} />
        <Pick id="endpoint-channel" label={p("channel")} value={channel} options={CHANNELS.map((one): Option => [one, knownPage(`ch_${one}`)])} />
        <Pick id="endpoint-language" label={p("language")} value={language} options={[["zh", p("zh")], ["en", p("en")]]} />
      </div>
      {SIGNED.includes(channel.value) && <Text id="endpoint-signing" label={p("channel_secret")} value={signing} />}
      <div class="field">
        <label for="endpoint-url">{p("url")}</label>
        <input id="endpoint-url" ref={first} type="url" placeholder={p("url_hint")} data-testid="endpoint-url"
          maxLength={2000} value={url.value} onInput={(event) => (url.value = event.currentTarget.value)} />
      </div>
      <fieldset>
        <legend>{p("events")}</legend>
        <label class="check">
          <input type="checkbox" checked={every.value} onChange={(event) => (every.value = event.currentTarget.checked)} />
          {p("every_event")}
        </label>
        {!every.value && EVENTS.map((name) => (
          <label key={name} class="check">
            <input type="checkbox" checked={events.value.includes(name)} onChange={() => flip(name)} />
            {knownPage(name)}
          </label>
        ))}
      </fieldset>
      {failure.value !== "" && <p class="problem" role="alert">{failure.value}</p>}
      <div class="command-line">
        <button type="submit" class="action usual" disabled={busy.value} data-testid="endpoint-save">{p("save")}</button>
        <button type="button" class="plain" onClick={close}>{p("cancel")}</button>
      </div>
    </form>
  );
}

/** What is wrong with the form, or "". */
function fault(channel: string, url: string, every: boolean, events: readonly string[]): string {
  if (channel !== "email" && !/^https?:\/\/./.test(url)) return p("bad_url");
  return every || events.length > 0 ? "" : p("pick_event");
}
