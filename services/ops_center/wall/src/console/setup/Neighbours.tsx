import { useSignal } from "@preact/signals";
import { Fragment } from "preact";

import { get, patch, post, remove } from "../../api";
import { language, named } from "../../i18n";
import { person } from "../../login/session";
import { span } from "../../wall/format";
import { may } from "../commands";
import type { Desk } from "../desk";
import { Failure, Once } from "../Dialog";
import { moment } from "../moment";
import type { Answer } from "../paging";
import { knownAreas, knownCategories, said } from "../reference";
import { Sheet } from "../Sheet";
import { Sure } from "../Sure";
import { useOne, useTask } from "../task";
import { COLOURS, silent, standing, type Colour, type Interest, type Neighbour, type Received } from "./neighbour";
import { n } from "./neighbour-texts";
import { NeighbourDialog } from "./NeighbourDialog";
import { useSecret } from "./secret";

type Known = Answer<Neighbour> & { level: Colour | "off" };

/** Which cities we tell of our warnings, and which warn us. */
export function Neighbours({ desk }: { desk: Desk }) {
  const editing = useSignal<Neighbour | "new" | null>(null), secret = useSecret();
  const known = useOne<Known>((signal) => get("/v1/neighbours", {}, signal), []);
  const admin = may(person.value?.role ?? "", "admin");
  const items = known.value.value?.items ?? [], level = known.value.value?.level;
  const shown = (name: string, made: string): void => {
    secret.copied.value = false;
    secret.held.value = { title: n("made", { name }), secret: made };
  };
  const tools = admin && (
    <button type="button" class="action usual" data-testid="neighbour-new" data-new aria-keyshortcuts="n" aria-haspopup="dialog" onClick={() => (editing.value = "new")}>{n("add")}</button>
  );
  return (
    <Sheet id="neighbours" title={n("neighbours")} more={n("neighbours_more")} tools={tools}>
      {secret.held.value && <Once {...secret.held.value} copied={secret.copied.value} copy={secret.copy} done={() => (secret.held.value = null)} />}
      <table>
        <thead><tr><th>{n("city")}</th><th>{n("interest")}</th><th>{n("heard")}</th><th>{n("sent")}</th><th>{n("state")}</th><th class="right"><span class="unseen">{n("tools")}</span></th></tr></thead>
        <tbody>
          {items.map((one) => (
            <Row key={one.adcode} of={one} admin={admin} edit={() => (editing.value = one)} shown={shown} changed={() => known.reload()} />
          ))}
        </tbody>
      </table>
      <footer class="list-end">
        <Failure error={known.error.value} />
        {known.value.value !== null && items.length === 0 && <p class="nothing">{n("nobody")}</p>}
        {level !== undefined && <span>{level === "off" ? n("level_off") : n("level_is", { colour: n(level) })}</span>}
      </footer>
      {editing.value !== null && (
        <NeighbourDialog of={editing.value === "new" ? null : editing.value} own={desk.board.city.value?.adcode ?? 0}
          close={() => (editing.value = null)} made={shown} changed={() => known.reload()} />
      )}
    </Sheet>
  );
}

function Row({ of: city, admin, edit, shown, changed }: {
  of: Neighbour; admin: boolean; edit: () => void; shown: (name: string, secret: string) => void; changed: () => void;
}) {
  const task = useTask(), open = useSignal(false), now = Date.now();
  const path = `/v1/neighbours/${city.adcode}`, quiet = silent(city, now), [bad, state] = standing(city);
  const ask = (work: () => Promise<unknown>) => (): void => void task.run(async () => {
    await work();
    changed();
  });
  const rotate = ask(async () => shown(named(city), (await post<{ secret: string }>(`${path}/rotate`, {})).secret));
  return (
    <Fragment>
      <tr data-testid={`neighbour-${city.adcode}`}>
        <td><b>{named(city)}</b><small>{city.adcode} · {city.url}</small></td>
        <td>{interestOf(city.interest)}</td>
        <td class={quiet ? "late" : ""}>{since(city.heard_at, now)}{quiet && <small>{n("silent")}</small>}</td>
        <td>{since(city.delivered_at, now)}</td>
        <td class={bad ? "late" : ""}>{state}{city.queued > 0 && <small>{n("waiting", { n: city.queued })}</small>}</td>
        <td class="right">
          <Failure error={task.failure.value} />
          <span class="row-tools">
            <button type="button" class="link-button" data-testid="neighbour-warnings" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>{n(open.value ? "close" : "show")}</button>
            {admin && (
              <>
                {!city.enabled && <button type="button" class="link-button" onClick={ask(() => patch(path, { enabled: true }))}>{n("switch_on")}</button>}
                <button type="button" class="link-button" data-testid="neighbour-edit" onClick={edit}>{n("change")}</button>
                <Sure id="neighbour-rotate" label={n("rotate")} question={n("rotate_sure")} act={rotate} disabled={task.busy.value} />
                <Sure id="neighbour-part" label={n("part")} question={n("part_sure")} act={ask(() => remove(path))} disabled={task.busy.value} />
              </>
            )}
          </span>
        </td>
      </tr>
      {open.value && <tr><td colSpan={6}><Warnings path={path} /></td></tr>}
    </Fragment>
  );
}

/** What it has warned of, the newest first. */
function Warnings({ path }: { path: string }) {
  const known = useOne<Answer<Received>>((signal) => get(`${path}/warnings`, { limit: 50 }, signal), []);
  const items = known.value.value?.items ?? [], now = Date.now();
  if (known.error.value !== null) return <Failure error={known.error.value} />;
  if (items.length === 0) return <p class="nothing">{n("none_yet")}</p>;
  return (
    <table aria-label={n("warnings")}>
      <thead><tr><th>{n("headline")}</th><th>{n("kind")}</th><th>{n("received")}</th><th>{n("until")}</th><th>{n("state")}</th></tr></thead>
      <tbody>
        {items.map((one) => (
          <tr key={one.identifier}>
            <td>{one.wording[language.value]?.headline ?? one.identifier}<small>{one.identifier}</small></td>
            <td>{n(one.kind)}{one.exercise && <small>{n("exercise")}</small>}</td>
            <td class="figures-cell">{moment(one.received_at, now)}</td>
            <td class="figures-cell">{moment(one.expires_at, now)}</td>
            <td>{n(one.holds ? "holds" : "over")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function since(at: string | null, now: number): string {
  return at === null ? n("never") : n("ago", { span: span(now - Date.parse(at)) });
}

function interestOf(interest: Interest | null): string {
  if (interest === null) return n("nothing");
  const colour = n(COLOURS.find((one) => one === interest.least) ?? "blue");
  const kinds = interest.categories.map((code) => {
    const found = knownCategories().find((one) => one.category === code);
    return found === undefined ? code : said(found.name);
  });
  const areas = interest.areas.map((id) => named(knownAreas().find((one) => one.area_id === id)) || id);
  return [n("at_least", { colour }), kinds.join("、"), areas.join("、")].filter(Boolean).join(" · ");
}
