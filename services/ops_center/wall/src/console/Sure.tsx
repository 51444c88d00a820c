import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { f } from "./form-texts";

/** A button that asks once more before it does something that cannot be undone. */
export function Sure({ label, question, id, act, disabled }: {
  label: string; question: string; id: string; act: () => void; disabled?: boolean;
}) {
  const asking = useSignal(false), asked = useRef(false), button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked.current && !asking.value) button.current?.focus();
    asked.current = asking.value;
  }, [asking.value]);
  if (!asking.value) {
    return <button type="button" class="link-button" ref={button} disabled={disabled} data-testid={id} onClick={() => (asking.value = true)}>{label}</button>;
  }
  const yes = (): void => {
    asking.value = false;
    act();
  };
  return <Question question={question} label={label} id={id} yes={yes} no={() => (asking.value = false)} />;
}

/** The focus comes along, and lies on the answer that changes nothing. */
function Question({ question, label, id, yes, no }: { question: string; label: string; id: string; yes: () => void; no: () => void }) {
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);
  return (
    <span class="sure" role="group" aria-label={question}>
      {question}
      <button type="button" class="plain danger" data-testid={`${id}-yes`} onClick={yes}>{label}</button>
      <button type="button" class="plain" ref={safe} onClick={no}>{f("no")}</button>
    </span>
  );
}
