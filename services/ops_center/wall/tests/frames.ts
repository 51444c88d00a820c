import type {
  DeltaFrame, Incident, IncidentFrame, ServerFrame, SnapshotFrame, StateName,
} from "../src/live/protocol";

const T0 = Date.parse("2026-05-01T00:00:00Z");
export const at = (seconds: number): number => T0 + 1000 * seconds;

export function incident(id: string, version: number, over: Partial<Incident> = {}): Incident {
  return {
    id, version, title: `incident ${id}`, state: "open", alert_state: "active", grade: 2, priority: 2,
    area_id: "441202", subjects: ["a"], rule_id: "gas", rule_version: 1, metric: "gas.concentration",
    value: 34, threshold: 20, opened_at: "2026-05-01T00:00:00Z", updated_at: "2026-05-01T00:00:00Z",
    observed_at: "2026-05-01T00:00:00Z", deadline_at: null, department: null, historical: false,
    kind: "alert", parent_id: null, merged_into: null, links: [], cause: null, category: null,
    warning: null, members: 1, alarms: [], suppressed: null, flapping: false, assigned_area: null,
    step_due_at: null, overdue: false, held: [],
    ...over,
  };
}

export function step(data: Incident, type = "incident.opened", resume = "r"): IncidentFrame {
  return {
    type: "incident", resume,
    event: { id: `${data.id}-${data.version}`, type, timestamp: data.updated_at, actor: "x", note: "", data, cause: null },
  };
}

/** Two sensors: `a` with gas and load, `b` with gas, which never spoke. */
export function snapshot(over: Partial<SnapshotFrame> = {}): SnapshotFrame {
  const metric = (name: string, high: number) => ({
    metric: name, domain: "utilities" as const, unit: "u", name_zh: name, name_en: name,
    normal_low: 0, normal_high: high, interval_seconds: 30,
  });
  return {
    type: "snapshot", resume: "r0",
    metrics: [metric("gas.concentration", 10), metric("power.load", 4000)],
    areas: [{ area_id: "441202", name_zh: "端州区", name_en: "Duanzhou" }],
    sensors: { id: ["a", "b"], name: ["A", "B"], lon: [112.4, 112.5], lat: [23, 23.1], area_id: ["441202", null] },
    series: {
      sensor: [0, 0, 1], metric: ["gas.concentration", "power.load", "gas.concentration"],
      value: [1, 900, null], observed_at: [at(0), at(0), null], state: ["normal", "normal", "never"],
    },
    incidents: [],
    ...over,
  };
}

export function delta(rows: [number, number | null, number | null, StateName][], resume = "r"): DeltaFrame {
  return {
    type: "delta", resume,
    series: rows.map((row) => row[0]), value: rows.map((row) => row[1]),
    observed_at: rows.map((row) => row[2]), state: rows.map((row) => row[3]),
  };
}

export const hello: ServerFrame = {
  type: "hello", protocol: 1, server_time: "2026-05-01T00:00:00Z", tick_ms: 250,
  city: { adcode: 441200, name_zh: "肇庆市", name_en: "Zhaoqing" },
};

export const pulse: ServerFrame = {
  type: "pulse", server_time: "2026-05-01T00:00:05Z", lag_ms: 10, latency_ms: null, clients: 1, dropped: 0,
};
