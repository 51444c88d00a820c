import { language } from "../i18n";
import type { Desk, Step } from "./desk";
import { unusual } from "../wall/unusual";
import { moment } from "./moment";
import { actorName, known, t } from "./strings";

/** Who did what and when, the newest first. */
export function Timeline({ steps, desk }: { steps: readonly Step[]; desk: Desk }) {
  if (steps.length === 0) return null;
  const newestFirst = [...steps].sort((a, b) => b.version - a.version);
  return (
    <section class="timeline" aria-label={t("timeline")} data-testid="timeline">
      <h3>{t("timeline")}</h3>
      <ol>
        {newestFirst.map((step) => (
          <li key={step.version} data-type={step.type}>
            <time dateTime={step.at}>{moment(step.at, desk.board.now())}</time>
            <b>{known(step.type)}</b>
            <span>{actorName(step.actor)}</span>
            {step.note && <p>{step.note}</p>}
            {step.cause?.foreseen && <p>{step.cause.foreseen[language.value]}</p>}
            {step.cause?.unusual && <p>{unusual(step.cause.unusual)}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
