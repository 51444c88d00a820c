/** A secret that is shown once, and can be copied. */

import { useSignal, type Signal } from "@preact/signals";

export interface Secret {
  title: string;
  secret: string;
}

export function useSecret(): { held: Signal<Secret | null>; copied: Signal<boolean>; copy: () => void } {
  const held = useSignal<Secret | null>(null), copied = useSignal(false);
  const copy = (): void =>
    void navigator.clipboard?.writeText(held.value?.secret ?? "").then(() => (copied.value = true), () => undefined);
  return { held, copied, copy };
}
