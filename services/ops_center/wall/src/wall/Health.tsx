import { named } from "../i18n";
import type { Board } from "./board";
import { health, type Health as One } from "./districts";
import { span } from "./format";
import type { Show } from "./show";
import { t } from "./texts";
import { hasDomain } from "./view";
import { VITALS } from "./vitals";

/** How much of what should be heard is heard, and how long ago the newest of it was. */
export function Health({ board, show }: { board: Board; show: Show }) {
  const now = board.beat.value;
  const found = new Map(health(board.picture).map((one) => [one.metric, one]));
  const all = VITALS.filter((spec) => hasDomain(show.view.value, spec.domain))
    .flatMap((spec) => found.get(spec.metric) ?? []);
  return (
    <section class="rows" aria-label={t("health")}>
      <h2>{t("health")}</h2>
      <ol>
        {all.map((one) => (
          <li key={one.metric}>
            <Row one={one} name={named(board.picture.metrics.get(one.metric))} age={now - one.newestAt} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Row({ one, name, age }: { one: One; name: string; age: number }) {
  const { fresh, silent, bad, never } = one;
  const share = (count: number): string => `${(100 * count) / (fresh + silent + bad + never)}%`;
  return (
    <div>
      <span class="row-name">{name}</span>
      <span class="row-marks">
        <small>{t("coverage", { fresh, known: fresh + silent + bad + never })}</small>
        {Number.isFinite(age) && <small>{t("age_of", { span: span(age) })}</small>}
      </span>
      <span class="share">
        <i class="fresh-part" style={{ width: share(fresh) }} />
        <i class="bad-part" style={{ width: share(bad) }} />
        <i class="silent-part" style={{ width: share(silent) }} />
        <i class="never-part" style={{ width: share(never) }} />
      </span>
    </div>
  );
}
