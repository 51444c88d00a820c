/** Past values of one series, from `GET /v1/history`. */

import { get } from "../api";
import type { Point } from "./trends";

interface HistoryAnswer {
  unit: string;
  resolution_seconds: number;
  items: { at: string; mean: number | null }[];
}

/** Means between two moments (epoch ms), at most `points` of them, oldest first. */
export async function history(
  sensorId: string, metric: string, from: number, to: number, points: number,
): Promise<Point[]> {
  const answer = await get<HistoryAnswer>("/v1/history", {
    sensor_id: sensorId, metric, points,
    from: new Date(from).toISOString(), to: new Date(to).toISOString(),
  });
  return answer.items
    .filter((item): item is { at: string; mean: number } => item.mean !== null)
    .map((item) => ({ at: Date.parse(item.at), value: item.mean }));
}
