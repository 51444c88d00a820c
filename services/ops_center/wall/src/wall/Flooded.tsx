import { named } from "../i18n";
import type { Incident } from "../live/protocol";
import type { Board } from "./board";
import { gathered, ordered, type Flood, type Group } from "./flood";
import { facts, number, span, unitName } from "./format";
import { Others, Row, SHOWN } from "./Incidents";
import { Shape } from "./Shape";
import { t } from "./texts";

/** What a flood is made of: each incident of priority 1 alone, then the rest by cause and area. */
export function Flooded({ board, open, flood }: { board: Board; open: Incident[]; flood: Flood }) {
  const [single, groups] = gathered(open);
  const urgent = ordered(single, (one) => one.id, flood.order);
  const rest = ordered(groups, (group) => group.key, flood.order);
  const shown = rest.slice(0, Math.max(0, SHOWN - urgent.length));
  const hidden = [...urgent.slice(SHOWN), ...rest.slice(shown.length).flatMap((group) => group.members)];
  return (
    <>
      <ol>
        {urgent.slice(0, SHOWN).map((incident) => <Row key={incident.id} incident={incident} board={board} />)}
        {shown.map((group) => <GroupRow key={group.key} group={group} board={board} />)}
      </ol>
      {hidden.length > 0 && <Others incidents={hidden} />}
    </>
  );
}

export function floodCounts(open: Incident[]): { groups: number; n: number } {
  const [single, groups] = gathered(open);
  return { groups: single.length + groups.length, n: single.length + groups.reduce((n, one) => n + one.members.length, 0) };
}

function GroupRow({ group, board }: { group: Group; board: Board }) {
  const { members, priority, waiting } = group;
  const metric = board.picture.metrics.get(group.metric ?? "");
  const area = named(board.picture.areas.get(group.areaId ?? ""));
  const first = members[0] as Incident;
  const oldest = Math.min(...members.map((one) => Date.parse(one.opened_at)));
  return (
    <li>
      <button type="button" class={`incident group p${priority} ${waiting > 0 ? "waiting" : ""}`}
        onClick={() => (board.selection.value = { kind: "incident", id: first.id })}>
        <Shape priority={priority} quiet={waiting === 0} />
        <span class="incident-title">{metric ? named(metric) : first.title}{area && ` · ${area}`}</span>
        <span class="incident-age"><b>{t("flood_members", { n: members.length })}</b></span>
        <span class="incident-facts">{facts(range(members, metric?.unit ?? ""), t("oldest", { span: span(board.beat.value - oldest) }))}</span>
        <span class="incident-state">{waiting > 0 && t("flood_waiting", { n: waiting })}</span>
      </button>
    </li>
  );
}

/** From the lowest to the highest value that broke the rule. */
function range(members: readonly Incident[], unit: string): string {
  const values = members.flatMap((one) => one.value ?? []);
  if (values.length === 0) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const figures = low === high ? number(low) : `${number(low)} – ${number(high)}`;
  return `${figures} ${unitName(unit)}`.trim();
}
