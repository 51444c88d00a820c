import type { Priority } from "../live/protocol";
import { NUMBER_AT, polygonPoints } from "../map/markers";

/** A priority's shape with its number. `quiet`: outlined, for "none" and for "someone is on it". */
export function Shape({ priority, quiet = false }: { priority: Priority; quiet?: boolean }) {
  return (
    <svg class={`shape p${priority} ${quiet ? "quiet" : ""}`} viewBox="-1 -1 26 26" aria-hidden="true">
      <polygon points={polygonPoints(priority)} />
      <text x="12" y={NUMBER_AT[priority]}>{priority}</text>
    </svg>
  );
}
