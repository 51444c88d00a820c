import { post } from "../../api";
import type { Incident } from "../../live/protocol";
import { Shape } from "../../wall/Shape";
import { Failure } from "../Dialog";
import { t } from "../strings";
import { useOne } from "../task";
import type { Matchers } from "./silence";
import { w } from "./texts";

interface Hidden {
  incident: Incident;
  open: boolean;
  hides: "whole" | "part";
}

interface Preview {
  items: Hidden[];
  priority_1_not_hidden: number;
}

const SHOWN = 8;

/** What a silence would hide, as the server works it out; asked anew with every change. */
export function SilencePreview({ matchers }: { matchers: Matchers }) {
  const asked = JSON.stringify(matchers);
  const preview = useOne<Preview & { asked: string }>(async (signal) =>
    ({ ...await post<Preview>("/v1/silences/preview", { matchers }, signal), asked }), [asked]);
  const found = preview.value.value;
  if (preview.error.value !== null) return <Failure error={preview.error.value} />;
  return (
    <section class="preview" aria-live="polite" data-testid="silence-preview" data-count={found?.asked === asked ? found.items.length : undefined}>
      <h3>{w("preview")}</h3>
      {found === null || found.asked !== asked ? <p>{w("preview_busy")}</p> : <Found found={found} />}
    </section>
  );
}

function Found({ found }: { found: Preview }) {
  const { items, priority_1_not_hidden: spared } = found;
  return (
    <>
      <p>{items.length === 0 ? w("preview_none") : w("preview_n", { n: items.length, open: items.filter((one) => one.open).length })}</p>
      <ul>
        {items.slice(0, SHOWN).map(({ incident, hides }) => (
          <li key={incident.id}>
            <Shape priority={incident.priority} quiet={incident.state !== "open"} />
            <span>{incident.title}</span>
            <small>{t(incident.state)} · {w(hides)}</small>
          </li>
        ))}
        {items.length > SHOWN && <li><small>+{items.length - SHOWN}</small></li>}
      </ul>
      {spared > 0 && <p class="late">{w("spared", { n: spared })}</p>}
    </>
  );
}
