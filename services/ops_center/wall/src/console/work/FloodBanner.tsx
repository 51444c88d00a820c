import { named } from "../../i18n";
import type { Desk } from "../desk";
import { heaps } from "./flood";
import { w } from "./texts";

const HEAPS = 4;

/** One banner for all of it, and the heaps that can be taken at once. P1 stays with people, one by one. */
export function FloodBanner({ desk }: { desk: Desk }) {
  const fresh = desk.fresh.value;
  if (!desk.flood.value) return null;
  const waiting = fresh.filter((one) => one.state === "open" && one.priority !== 1);
  const tick = (ids: readonly string[]): void => void (desk.marked.value = new Set([...desk.marked.value, ...ids]));
  return (
    <section class="flood-banner" role="status" data-testid="flood">
      <p><b>{w("flood")}</b> {w("flood_more", { n: fresh.length })}</p>
      {waiting.length > 0 && (
        <div class="action-line">
          <button type="button" class="action" data-testid="flood-mark" onClick={() => tick(waiting.map((one) => one.id))}>
            {w("flood_mark", { n: waiting.length })}
          </button>
          {heaps(waiting).filter((heap) => heap.incidents.length > 1).slice(0, HEAPS).map((heap) => (
            <button key={heap.key} type="button" class="quiet-action" onClick={() => tick(heap.incidents.map((one) => one.id))}>
              {named(desk.board.picture.areas.get(heap.area ?? "")) || "—"} · {heap.incidents[0]?.title.split(" · ")[0]} <b>{heap.incidents.length}</b>
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
