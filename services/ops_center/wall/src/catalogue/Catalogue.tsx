import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get } from "../api";
import { METRIC_DOMAINS } from "../live/protocol";
import { c, type Text } from "./texts";
import { MEASURES, percent, told, type Dataset } from "./dataset";
import { DatasetPage } from "./DatasetPage";

const TYPING_MS = 250;

/** `chosen`: the dataset that is shown alone; `href`: the address of one, or (null) of all. */
export interface Place {
  chosen: string | null;
  href: (dataset: string | null) => string;
}

/** Searched by the server, which lists what whoever asks may know of. */
export function Catalogue(place: Place) {
  return place.chosen === null ? <List {...place} /> : <DatasetPage key={place.chosen} id={place.chosen} {...place} />;
}

function List({ href }: Place) {
  const q = useSignal(""), domain = useSignal("");
  const found = useSignal<readonly Dataset[] | null>(null), failed = useSignal(false);
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(() => {
      get<{ items: Dataset[] }>("/v1/catalogue", { q: q.value.trim() || null, domain: domain.value || null }, asking.signal)
        .then((answer) => { found.value = answer.items; failed.value = false; })
        .catch(() => { if (!asking.signal.aborted) failed.value = true; });
    }, found.value === null ? 0 : TYPING_MS);
    return () => { clearTimeout(timer); asking.abort(); };
  }, [q.value, domain.value]);
  return (
    <div class="catalogue" data-testid="catalogue">
      <div class="catalogue-tools">
        <input type="search" data-search data-testid="catalogue-search" aria-label={c("search")} placeholder={c("search")}
          value={q.value} onInput={(event) => (q.value = event.currentTarget.value)} />
        <select aria-label={c("domain")} value={domain.value} onChange={(event) => (domain.value = event.currentTarget.value)}>
          <option value="">{c("every_domain")}</option>
          {METRIC_DOMAINS.map((one) => <option key={one} value={one}>{c(one)}</option>)}
        </select>
        <a href="/v1/catalogue/dcat" download="catalogue.jsonld">{c("dcat")}</a>
      </div>
      {failed.value && <p role="alert">{c("failed")}</p>}
      {found.value !== null && found.value.length > 0 && <Table found={found.value} href={href} />}
      {found.value?.length === 0 && <p class="soft">{c("none")}</p>}
    </div>
  );
}

function Table({ found, href }: { found: readonly Dataset[]; href: Place["href"] }) {
  return (
    <table class="datasets">
      <thead>
        <tr>
          <th>{c("dataset")}</th><th>{c("owner")}</th><th>{c("level")}</th><th>{c("fresh")}</th>
          {MEASURES.map((measure) => <th key={measure} class="share" title={c(`${measure}_more`)}>{c(measure)}</th>)}
        </tr>
      </thead>
      <tbody>
        {found.map((one) => (
          <tr key={one.dataset} data-testid={`dataset-${one.dataset}`}>
            <td>
              <a href={href(one.dataset)}>{told(one, "title")}</a>
              <small>{told(one, "description")}</small>
            </td>
            <td>{told(one, "owner")}<small>{c(one.domain as Text)}</small></td>
            <td><span class={`level ${one.level}`}>{told(one, "level")}</span></td>
            <td><Moment at={one.newest_at} /></td>
            {MEASURES.map((measure) => <td key={measure} class="share"><Share share={one.quality?.[measure] ?? null} /></td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A bar and its number. */
export function Share({ share }: { share: number | null }) {
  if (share === null) return <span class="soft">—</span>;
  return (
    <span class="share-bar">
      <span class="bar" aria-hidden="true"><i style={{ width: `${share * 100}%` }} /></span>{percent(share)}
    </span>
  );
}

/** In the reader's own time. */
export function Moment({ at }: { at: string | null }) {
  if (at === null) return <span class="soft">—</span>;
  const moment = new Date(at), pad = (n: number): string => String(n).padStart(2, "0");
  const day = `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  return <time dateTime={at} class="figures-cell">{day} {pad(moment.getHours())}:{pad(moment.getMinutes())}</time>;
}
