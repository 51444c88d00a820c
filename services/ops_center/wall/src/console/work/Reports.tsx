import { get } from "../../api";
import type { Incident } from "../../live/protocol";
import { facts } from "../../wall/format";
import type { Desk } from "../desk";
import { moment } from "../moment";
import type { Answer } from "../paging";
import { useOne } from "../task";
import { knownWork, w } from "./texts";

interface Report {
  report_id: string;
  text: string;
  reporter: string;
  reference: string | null;
  occurred_at: string;
  photos: string[];
}

/** What people told about it. Photos are links: nothing is fetched from other addresses. */
export function Reports({ incident, desk }: { incident: Incident; desk: Desk }) {
  const reports = useOne<Answer<Report>>((signal) => get(`/v1/incidents/${incident.id}/reports`, {}, signal), [incident.id, incident.version]);
  const found = reports.value.value?.items ?? [];
  if (found.length === 0) return null;
  return (
    <section class="reports" aria-labelledby="reports-title" data-testid="reports">
      <h3 id="reports-title">{w("reports_n", { n: found.length })}</h3>
      <ul>
        {found.map((one) => (
          <li key={one.report_id}>
            <small>{facts(moment(one.occurred_at, desk.board.now()), knownWork(`heard_${one.reporter}`), one.reference)}</small>
            <p>{one.text}</p>
            {one.photos.map((address, place) => (
              <a key={address} href={address} target="_blank" rel="noopener noreferrer">{w("photo", { n: place + 1 })}</a>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
