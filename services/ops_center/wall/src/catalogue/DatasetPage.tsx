import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import { Moment, Share, type Place } from "./Catalogue";
import { line, MEASURES, percent, summary, told, type Detail, type Measure } from "./dataset";
import { c, type Text } from "./texts";

const DAY_MS = 86_400_000;
const FORMS = ["csv", "json", "parquet", "geojson"] as const;

/** One dataset: what it is, its columns, how good it was, and its data where that is public. */
export function DatasetPage({ id, href }: Place & { id: string }) {
  const one = useSignal<Detail | null>(null), failed = useSignal(false);
  useEffect(() => {
    const asking = new AbortController();
    get<Detail>(`/v1/catalogue/${encodeURIComponent(id)}`, {}, asking.signal)
      .then((answer) => (one.value = answer))
      .catch(() => { if (!asking.signal.aborted) failed.value = true; });
    return () => asking.abort();
  }, [id]);
  return (
    <section class="catalogue" data-testid="dataset">
      <p><a href={href(null)}>← {c("back")}</a></p>
      {failed.value && <p role="alert">{c("failed")}</p>}
      {one.value !== null && <Shown one={one.value} />}
    </section>
  );
}

function Shown({ one }: { one: Detail }) {
  const often = one.interval_seconds === null ? c("as_it_happens") : c("interval", { n: one.interval_seconds });
  return (
    <article class="dataset">
      <h2>{told(one, "title")} <span class={`level ${one.level}`}>{told(one, "level")}</span></h2>
      <p>{told(one, "description")}</p>
      <dl>
        <dt>{c("owner")}</dt><dd>{told(one, "owner")}</dd>
        <dt>{c("licence")}</dt><dd>{one.licence === "internal-use" ? c("internal-use") : one.licence}</dd>
        <dt>{c("fresh")}</dt><dd><Moment at={one.newest_at} /> <span class="soft">{often}</span></dd>
        {one.sensors !== null && <><dt>{c("more_about")}</dt><dd>{c("sensors", { n: one.sensors })}</dd></>}
      </dl>
      {one.open && <Downloads id={one.dataset} />}
      {one.quality !== null || one.interval_seconds !== null ? <Trends one={one} /> : null}
      <h3>{c("schema")}</h3>
      <table class="columns">
        <thead><tr><th>{c("field")}</th><th>{c("type")}</th><th>{c("unit")}</th><th>{c("level")}</th></tr></thead>
        <tbody>
          {one.schema.map((field) => (
            <tr key={field.name}>
              <td><code>{field.name}</code></td><td>{c(field.type as Text)}</td><td>{field.unit ?? "—"}</td>
              <td><span class={`level ${field.level}`}>{c(field.level as Text)}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </article>
  );
}

function Downloads({ id }: { id: string }) {
  const data = `/v1/catalogue/${encodeURIComponent(id)}/data`;
  const day = `from=${encodeURIComponent(new Date(Date.now() - DAY_MS).toISOString())}&`;
  return (
    <>
      <h3>{c("download")}</h3>
      <ul class="downloads">
        {([["newest_of_each", ""], ["last_day", day]] as const).map(([what, query]) => (
          <li key={what}>
            {c(what)}
            {FORMS.map((form) => (
              <a key={form} href={`${data}?${query}format=${form}`} download={`${id}.${form}`} aria-label={`${c(what)} ${form}`}>{form}</a>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function Trends({ one }: { one: Detail }) {
  return (
    <>
      <h3>{c("trend")}</h3>
      {one.trend.length === 0
        ? <p class="soft">{c("no_trend")}</p>
        : <div class="quality">{MEASURES.map((measure) => <Trend key={measure} one={one} measure={measure} />)}</div>}
    </>
  );
}

function Trend({ one, measure }: { one: Detail; measure: Measure }) {
  const found = summary(one.trend, measure);
  const label = found === null ? c("not_measured")
    : c("spark", { name: c(measure), mean: percent(found.mean), low: percent(found.low) });
  return (
    <figure>
      <figcaption><b>{c(measure)}</b> <Share share={one.quality?.[measure] ?? null} /><small>{c(`${measure}_more`)}</small></figcaption>
      <svg viewBox="0 -4 100 108" preserveAspectRatio="none" role="img" aria-label={label}>
        <path class="floor" d="M0 100H100M0 0H100" />
        <path class="curve" d={line(one.trend, measure)} />
      </svg>
    </figure>
  );
}
