// Stands in for the live socket: a city of SENSORS sensors, UPDATES changed series with every tick
// of 250 ms, an incident every five seconds that is closed a minute later. Time runs SPEED times as
// fast as it does: every timer and clock of the page. Of what the map draws, one frame in SPEED
// reaches the graphics card, as many in the end as an hour has: where there is no card, drawing twenty
// times as much would take all the time there is. No clock runs ahead of the ticks, so that a page
// that is held up is not taken for one whose link is dead.
(() => {
  const SPEED = 20, TICK_MS = 250;
  const RealDate = Date, began = RealDate.now(), real = performance.now.bind(performance), start = real();
  let ticks = 0, tickedAt = start;
  const passed = () => ticks * TICK_MS + Math.min(TICK_MS, (real() - tickedAt) * SPEED);
  const now = () => Math.round(began + passed());
  window.Date = class extends RealDate {
    constructor(...of) { super(...(of.length === 0 ? [now()] : of)); }
    static now() { return now(); }
  };
  performance.now = () => start + passed();
  for (const name of ["setTimeout", "setInterval"]) {
    const timer = window[name].bind(window);
    window[name] = (run, delay = 0, ...more) => timer(run, delay / SPEED, ...more);
  }
  const fetched = window.fetch.bind(window);
  const none = () => new Response('{"items": []}', { headers: { "Content-Type": "application/json" } });
  window.fetch = async (address, init) =>
    String(address).startsWith("/v1/history") ? none() : fetched(address, init);

  let frame = 0;
  const nextFrame = () => { frame += 1; requestAnimationFrame(nextFrame); };
  nextFrame();
  for (const name of ["drawElements", "drawArrays"]) {
    const draw = WebGL2RenderingContext.prototype[name];
    WebGL2RenderingContext.prototype[name] = function (...of) {
      if (frame % SPEED === 0) draw.apply(this, of);
    };
  }

  const SENSORS = 20000, UPDATES = 500, OPEN_EVERY = 20, OPEN_TICKS = 240;
  const Real = window.WebSocket;
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const metrics = ["traffic.speed", "water.level", "gas.concentration", "power.load"];
  const areas = ["441202", "441203", "441204", "441223", "441224", "441225", "441226", "441284"];
  const range = Array.from({ length: SENSORS }, (_, number) => number);
  const id = (number) => `soak-${String(number).padStart(5, "0")}`;
  const iso = () => new Date().toISOString();
  const metric = (name, domain) => ({ metric: name, domain, unit: "u", name_zh: name, name_en: name,
    normal_low: 0, normal_high: 60, interval_seconds: 60 });
  const value = () => Math.round(random() * 800) / 10;

  const incident = (number, version, state) => ({
    id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`, title: `soak ${number}`, state,
    alert_state: state === "open" ? "active" : "cleared", grade: 3, priority: 2 + (number % 3),
    area_id: areas[number % 8], subjects: [id(number % SENSORS)], rule_id: "r", rule_version: 1,
    metric: metrics[number % 4], value: 70, threshold: 60, opened_at: iso(), updated_at: iso(),
    observed_at: iso(), deadline_at: null, department: null, historical: false, version, kind: "alert",
    parent_id: null, merged_into: null, links: [], cause: null, category: null, warning: null, members: 1,
    alarms: [], suppressed: null, flapping: false, assigned_area: null, step_due_at: null, overdue: false,
    held: [],
  });

  class Soak {
    constructor() {
      this.readyState = 1;
      setTimeout(() => this.onopen?.(), 0);
    }
    send(text) {
      if (JSON.parse(text).type !== "hello") return;
      this.say({ type: "hello", protocol: 1, server_time: iso(), tick_ms: TICK_MS,
        city: { adcode: 441200, name_zh: "肇庆市", name_en: "Zhaoqing" } });
      this.say(this.snapshot());
      this.timer = setInterval(() => this.tick(), TICK_MS);
    }
    close() { clearInterval(this.timer); }
    say(frame) { this.onmessage?.({ data: JSON.stringify(frame) }); }
    snapshot() {
      return { type: "snapshot", resume: "0",
        metrics: [metric(metrics[0], "traffic"), metric(metrics[1], "environment"),
          metric(metrics[2], "utilities"), metric(metrics[3], "utilities")],
        areas: areas.map((area_id) => ({ area_id, name_zh: area_id, name_en: area_id })),
        sensors: { id: range.map(id), name: range.map(id), lon: range.map(() => 111.4 + random() * 1.4),
          lat: range.map(() => 22.8 + random() * 1.6), area_id: range.map((number) => areas[number % 8]) },
        series: { sensor: range, metric: range.map((number) => metrics[number % 4]), value: range.map(value),
          observed_at: range.map(() => Date.now()), state: range.map(() => "normal") },
        incidents: [] };
    }
    tick() {
      window.__ticks = ticks += 1;
      tickedAt = real();
      const series = Array.from({ length: UPDATES }, (_, place) => (ticks * UPDATES + place * 37) % SENSORS);
      this.say({ type: "delta", resume: String(ticks), series, value: series.map(value),
        observed_at: series.map(() => Date.now()),
        state: series.map(() => (random() < 0.002 ? "p3" : random() < 0.01 ? "stale" : "normal")) });
      if (ticks % OPEN_EVERY === 0) this.step(ticks / OPEN_EVERY, 1, "open");
      const old = (ticks - OPEN_TICKS) / OPEN_EVERY;
      if (old > 0 && Number.isInteger(old)) this.step(old, 2, "closed");
      if (ticks % 20 === 0) this.say({ type: "pulse", server_time: iso(), lag_ms: 5,
        latency_ms: { p50: 80, p95: 120, p99: 200 }, clients: 1, dropped: 0 });
    }
    step(number, version, state) {
      this.say({ type: "incident", resume: String(ticks), event: { id: `${number}-${version}`,
        type: state === "open" ? "incident.opened" : "incident.closed", timestamp: iso(), actor: "rules",
        note: "", data: incident(number, version, state), cause: null } });
    }
  }
  Soak.OPEN = 1;
  window.WebSocket = function (address, ...more) {
    return String(address).includes("/v1/live") ? new Soak() : new Real(address, ...more);
  };
  window.WebSocket.OPEN = 1;
})();
