import { useSignal } from "@preact/signals";

import { f } from "./form-texts";

/** A button that asks once more before it does something that cannot be undone. */
export function Sure({ label, question, id, act, disabled }: {
  label: string; question: string; id: string; act: () => void; disabled?: boolean;
}) {
  const asking = useSignal(false);
  if (!asking.value) {
    return <button type="button" class="link-button" disabled={disabled} data-testid={id} onClick={() => (asking.value = true)}>{label}</button>;
  }
  const yes = (): void => {
    asking.value = false;
    act();
  };
  return (
    <span class="sure">
      {question}
      <button type="button" class="plain danger" data-testid={`${id}-yes`} onClick={yes}>{label}</button>
      <button type="button" class="plain" onClick={() => (asking.value = false)}>{f("no")}</button>
    </span>
  );
}
