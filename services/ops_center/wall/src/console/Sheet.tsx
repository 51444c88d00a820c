import type { ComponentChildren } from "preact";

import { inWords } from "../login/wording";
import type { More } from "./paging";
import { p } from "./page-texts";

/** A page with a heading, its tools, and a table. */
export function Sheet({ title, more, tools, children, id }: {
  title: string; more: string; id: string; tools?: ComponentChildren; children: ComponentChildren;
}) {
  return (
    <section class="sheet" aria-labelledby={`sheet-${id}`} data-testid={`sheet-${id}`}>
      <header>
        <div>
          <h2 id={`sheet-${id}`}>{title}</h2>
          <p>{more}</p>
        </div>
        <div class="sheet-tools">{tools}</div>
      </header>
      {children}
    </section>
  );
}

/** The end of a list: what went wrong, that there is nothing, or that there is more. */
export function ListEnd<T>({ list, none }: { list: More<T>; none: string }) {
  const { items, next, busy, error } = list;
  return (
    <footer class="list-end">
      {error.value !== null && <p class="problem" role="alert">{inWords(error.value)}</p>}
      {items.value.length === 0 && error.value === null && (
        <p class="nothing">{busy.value ? p("loading") : none}</p>
      )}
      {items.value.length > 0 && <span>{p("shown", { n: items.value.length })}</span>}
      {next.value !== null && (
        <button type="button" class="plain" disabled={busy.value} onClick={() => list.more()}>
          {p(busy.value ? "loading" : "load_more")}
        </button>
      )}
    </footer>
  );
}

export function Refresh({ list }: { list: { busy: { value: boolean }; reload: () => void } }) {
  return (
    <button type="button" class="plain" disabled={list.busy.value} onClick={() => list.reload()}>{p("refresh")}</button>
  );
}
