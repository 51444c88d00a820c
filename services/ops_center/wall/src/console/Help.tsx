import { COMMANDS } from "./commands";
import { Dialog } from "./Dialog";
import { f } from "./form-texts";
import { keysOn, setKeysOn } from "./keys";
import { WORK } from "./route";
import { t } from "./strings";
import { w } from "./work/texts";

/** What the keys do. */
export function Help({ close }: { close: () => void }) {
  const moves: [string, string][] = [["J / K", t("keys_move")], ["/", t("keys_search")], ["X", t("keys_mark")], ["E", t("keys_mark_all")]];
  const commands = COMMANDS.map((one): [string, string] => [one.key.toUpperCase(), t(one.command)]);
  const more: [string, string][] = [["Q", w("silence")], ["M", w("merge")], ["I", w("report_title")]];
  const pages = WORK.map((page, place): [string, string] => [String(place + 1), t(`nav_${page}`)]);
  const rest: [string, string][] = [[String(WORK.length + 1), t("nav_setup")], ["Ctrl+Enter", t("keys_send")], ["?", t("keys_help")], ["Esc", t("keys_escape")]];
  return (
    <Dialog id="help-dialog" title={t("keys_title")} close={close}>
      <dl class="keys">
        {[...moves, ...commands, ...more, ...pages, ...rest].map(([key, what]) => (
          <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={keysOn.value} onChange={(event) => setKeysOn(event.currentTarget.checked)} />
        {t("keys_on")}
      </label>
      <button type="button" class="plain" onClick={close}>{f("close")}</button>
    </Dialog>
  );
}
