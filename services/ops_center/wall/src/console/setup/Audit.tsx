import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../../api";
import { moment } from "../moment";
import { useMore } from "../paging";
import { ListEnd, Refresh, Sheet } from "../Sheet";
import { s } from "./texts";

interface Entry {
  chain: string;
  seq: number;
  at: string;
  actor: string;
  kind: string;
  address: string;
  action: string;
  subject: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

const TYPING_MS = 250;

/** What everybody did, the newest first. */
export function Audit() {
  const actor = useSignal(""), action = useSignal(""), subject = useSignal("");
  const list = useMore<Entry>((cursor, signal) => get("/v1/audit", {
    actor: actor.value.trim() || null, action: begins(action.value), subject: begins(subject.value), limit: 100, cursor,
  }, signal));
  useEffect(() => {
    const timer = setTimeout(() => list.reload(), TYPING_MS);
    return () => clearTimeout(timer);
  }, [actor.value, action.value, subject.value]);
  const field = (name: string, value: typeof actor) => (
    <input type="search" class="narrow" aria-label={name} placeholder={name} value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
  );
  const tools = (
    <>
      {field(s("filter_actor"), actor)}{field(s("filter_action"), action)}{field(s("filter_subject"), subject)}
      <Refresh list={list} />
    </>
  );
  return (
    <Sheet id="audit" title={s("audit")} more={s("audit_more")} tools={tools}>
      <table class="audit">
        <thead><tr><th>{s("when")}</th><th>{s("actor")}</th><th>{s("action")}</th><th>{s("subject")}</th><th>{s("before_after")}</th><th>{s("from_address")}</th></tr></thead>
        <tbody>
          {list.items.value.map((one) => (
            <tr key={`${one.chain}${one.seq}`} data-testid="audit-entry" data-action={one.action}>
              <td class="figures-cell">{moment(one.at, Date.now())}</td>
              <td>{one.actor}</td>
              <td><code>{one.action}</code></td>
              <td><code title={one.subject}>{short(one.subject)}</code></td>
              <td><Changes before={one.before} after={one.after} /></td>
              <td>{one.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ListEnd list={list} none={s("audit_none")} />
    </Sheet>
  );
}

/** What is typed is how it begins. */
function begins(text: string): string | null {
  const typed = text.trim();
  return typed === "" ? null : `${typed.replace(/\*+$/, "")}*`;
}

/** A UUID's first part says enough. */
function short(subject: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(subject) ? subject.slice(0, 8) : subject;
}

function Changes({ before, after }: Pick<Entry, "before" | "after">) {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .filter((field) => (before?.[field] ?? after?.[field]) != null);
  return (
    <ul class="changes">
      {fields.map((field) => (
        <li key={field}>
          <small>{field}</small>{" "}
          {before && field in before && <del>{plain(before[field])}</del>}{before && field in before && after && field in after ? " → " : ""}
          {after && field in after && <span>{plain(after[field])}</span>}
        </li>
      ))}
    </ul>
  );
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}
