/** Work that the server is asked for: whether it is under way, and why it failed. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { ApiError } from "../api";
import { expire } from "../login/session";

export interface Task {
  busy: Signal<boolean>;
  failure: Signal<unknown>;
  /** True when `work` came to its end. One at a time. */
  run(work: () => Promise<void>): Promise<boolean>;
}

export function useTask(): Task {
  const busy = useSignal(false), failure = useSignal<unknown>(null);
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    failure.value = null;
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) expire();
      failure.value = error;
      return false;
    } finally {
      busy.value = false;
    }
  };
  return { busy, failure, run };
}

export interface Loaded<T> {
  value: Signal<T | null>;
  error: Signal<unknown>;
  reload(): void;
}

/** One thing of the server's, asked anew whenever one of `on` changes; what is shown stays meanwhile. */
export function useOne<T>(load: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const value = useSignal<T | null>(null), error = useSignal<unknown>(null), again = useSignal(0);
  useEffect(() => {
    const asked = new AbortController();
    load(asked.signal).then(
      (found) => {
        if (asked.signal.aborted) return;
        value.value = found;
        error.value = null;
      },
      (failure) => void (asked.signal.aborted || (error.value = failure)),
    );
    return () => asked.abort();
  }, [...on, again.value]);
  return { value, error, reload: () => void (again.value += 1) };
}
