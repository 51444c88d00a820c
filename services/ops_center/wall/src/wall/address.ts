/** Where an incident's case is: on the console, with this screen's own token. */

import { screenToken } from "../api";

export function caseAddress(incidentId: string, token: string | null = screenToken()): string {
  const query = token === null ? "" : `?token=${encodeURIComponent(token)}`;
  return `/console${query}#incidents/${encodeURIComponent(incidentId)}`;
}
