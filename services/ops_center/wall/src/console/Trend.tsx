import type { Incident } from "../live/protocol";
import type { Desk } from "./desk";
import { t } from "./strings";
import { Trace } from "./Trace";

/** The past of what an incident is about. */
export function Trend({ incident, desk }: { incident: Incident; desk: Desk }) {
  const subject = incident.subjects[0], { metric } = incident;
  if (!subject || !metric || !desk.board.picture.sensors.indexOf.has(subject)) return null;
  const until = incident.state === "closed" ? Date.parse(incident.updated_at) : null;
  return <Trace subject={subject} metric={metric} threshold={incident.threshold} until={until} desk={desk} title={t("trend")} />;
}
