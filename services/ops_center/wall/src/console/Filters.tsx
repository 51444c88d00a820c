import { named } from "../i18n";
import type { Priority } from "../live/protocol";
import { PRIORITIES } from "../map/markers";
import { Shape } from "../wall/Shape";
import type { Desk } from "./desk";
import { EVERYTHING, STAGES, countByPriority, inStage, type QueueFilter } from "./queue";
import { t } from "./strings";

/** Stage, priority, area, text: each narrows the queue further. */
export function Filters({ desk }: { desk: Desk }) {
  const { filter, open } = desk;
  const narrow = (part: Partial<QueueFilter>): void => {
    const next = { ...filter.value, ...part };
    const none = next.stage === "all" && next.area === "" && next.text === "" && next.priorities.size === 0;
    filter.value = none ? EVERYTHING : next;
  };
  return (
    <div class="filters" role="search">
      <div class="stages" role="group" aria-label={t("stage")}>
        {STAGES.map((stage) => (
          <button key={stage} type="button" aria-pressed={filter.value.stage === stage}
            data-testid={`stage-${stage}`} onClick={() => narrow({ stage })}>
            {t(`stage_${stage}`)}
            {stage !== "closed" && <small>{open.value.filter((one) => inStage(one, stage)).length}</small>}
          </button>
        ))}
      </div>
      <Priorities desk={desk} narrow={narrow} />
      <div class="filter-line">
        <input type="search" data-search data-testid="queue-search" aria-label={t("search")} placeholder={t("search")}
          onKeyDown={(event) => (event.key === "Escape" || event.key === "Enter") && event.currentTarget.blur()}
          value={filter.value.text} onInput={(event) => narrow({ text: event.currentTarget.value })} />
        <select aria-label={t("area")} data-testid="queue-area" value={filter.value.area}
          onChange={(event) => narrow({ area: event.currentTarget.value })}>
          <option value="">{t("every_area")}</option>
          {desk.board.epoch.value > 0 && [...desk.board.picture.areas.values()].map((area) => (
            <option key={area.area_id} value={area.area_id}>{named(area)}</option>
          ))}
        </select>
      </div>
    </div>
  );
}

function Priorities({ desk, narrow }: { desk: Desk; narrow: (part: Partial<QueueFilter>) => void }) {
  const counts = countByPriority(desk.open.value);
  const { priorities } = desk.filter.value;
  const flip = (priority: Priority): void => {
    const next = new Set(priorities);
    if (!next.delete(priority)) next.add(priority);
    narrow({ priorities: next });
  };
  return (
    <div class="priorities" role="group" aria-label={t("priority")}>
      {PRIORITIES.map((priority) => {
        const count = counts.get(priority) ?? 0;
        return (
          <button key={priority} type="button" aria-pressed={priorities.has(priority)}
            title={t("only_priority", { name: t(`p${priority}`) })} data-testid={`priority-${priority}`}
            class={count === 0 ? "zero" : ""} onClick={() => flip(priority)}>
            <Shape priority={priority} quiet={count === 0} />
            <b>{count}</b>
            <span>{t(`p${priority}`)}</span>
          </button>
        );
      })}
    </div>
  );
}
