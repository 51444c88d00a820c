/** A list that the server hands out page by page. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface Answer<T> {
  items: T[];
  next?: string | null;
}

export interface More<T> {
  items: Signal<readonly T[]>;
  next: Signal<string | null>;
  busy: Signal<boolean>;
  error: Signal<unknown>;
  /** From the first page; what is shown stays until the answer is there. */
  reload(): void;
  more(): void;
}

type Load<T> = (cursor: string | null, signal: AbortSignal) => Promise<Answer<T>>;

/** `load` may close over the newest filter: the last one given is used. */
export function useMore<T>(load: Load<T>): More<T> {
  const items = useSignal<readonly T[]>([]);
  const next = useSignal<string | null>(null);
  const busy = useSignal(false);
  const error = useSignal<unknown>(null);
  const newest = useRef(load);
  const under = useRef<AbortController | null>(null);
  newest.current = load;
  useEffect(() => () => under.current?.abort(), []);

  const fetchPage = async (cursor: string | null): Promise<void> => {
    under.current?.abort();
    const mine = (under.current = new AbortController());
    busy.value = true;
    try {
      const answer = await newest.current(cursor, mine.signal);
      if (mine.signal.aborted) return;
      items.value = cursor === null ? answer.items : [...items.value, ...answer.items];
      next.value = answer.next ?? null;
      error.value = null;
    } catch (failure) {
      if (!mine.signal.aborted) error.value = failure;
    } finally {
      if (under.current === mine) busy.value = false;
    }
  };
  return {
    items, next, busy, error,
    reload: () => void fetchPage(null),
    more: () => void (next.value !== null && fetchPage(next.value)),
  };
}
