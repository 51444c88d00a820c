import { t, type Text } from "./texts";

const KEYS: readonly [string, Text][] = [
  ["↑ ↓", "key_move"], ["Enter", "key_enter"], ["Esc", "key_escape"], ["← →", "key_side"],
  ["1 2 3", "key_domains"], ["0", "key_all"], ["G", "key_grid"], ["+ −", "key_zoom"],
  ["PgUp PgDn", "key_view"], ["T", "key_theme"], ["L", "key_language"], ["F", "key_full"], ["R", "key_replay"], ["?", "key_help"],
];

/** What the keys do. */
export function Help() {
  return (
    <aside class="help" role="dialog" aria-label={t("keys")} data-testid="help">
      <h3>{t("keys")}</h3>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>{key.split(" ").map((one) => <kbd key={one}>{one}</kbd>)}</dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
