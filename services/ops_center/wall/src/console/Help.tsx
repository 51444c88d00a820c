import { useEffect, useRef } from "preact/hooks";

import { COMMANDS } from "./commands";
import { keysOn, setKeysOn } from "./keys";
import { t } from "./strings";

/** What the keys do; a modal dialog, so the browser keeps the focus inside and gives it back. */
export function Help({ close }: { close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const moves: [string, string][] = [["J / K", t("keys_move")], ["/", t("keys_search")]];
  const commands = COMMANDS.map((one): [string, string] => [one.key.toUpperCase(), t(one.command)]);
  const rest: [string, string][] = [["?", t("keys_help")], ["Esc", t("keys_escape")]];
  return (
    <dialog class="help" ref={box} aria-labelledby="help-title" onClose={close} data-testid="help-dialog">
      <h2 id="help-title">{t("keys_title")}</h2>
      <dl>
        {[...moves, ...commands, ...rest].map(([key, what]) => (
          <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={keysOn.value}
          onChange={(event) => setKeysOn(event.currentTarget.checked)} />
        {t("keys_on")}
      </label>
      <button type="button" class="plain" onClick={close}>{t("close_help")}</button>
    </dialog>
  );
}
