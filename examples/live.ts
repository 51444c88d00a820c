/**
 * A small client of the live socket: one picture, kept up to date for as long as you like.
 *
 *     const client = new LiveClient("ws://127.0.0.1:8000/v1/live", TOKEN, (picture, frame) => …);
 *     client.start();
 *
 * Needs a browser, or Node 22. It resumes where it stopped whenever the connection ends, and takes
 * a new snapshot when it is told to. The protocol: docs/live.md.
 */

export type State = "never" | "normal" | "stale" | "bad" | "p1" | "p2" | "p3" | "p4";

export interface Incident {
  id: string;
  version: number;
  title: string;
  state: string;
  priority: 1 | 2 | 3 | 4;
}

export interface Filter {
  domains?: string[] | null;
  areas?: string[] | null;
  /** West, south, east, north. */
  bbox?: [number, number, number, number] | null;
}

export interface Snapshot {
  type: "snapshot";
  sensors: { id: string[]; name: string[]; lon: number[]; lat: number[]; area_id: (string | null)[] };
  series: {
    sensor: number[]; metric: string[]; value: (number | null)[]; observed_at: (number | null)[];
    state: State[];
  };
  incidents: Incident[];
  resume: string;
}

export interface Delta {
  type: "delta";
  series: number[];
  value: (number | null)[];
  observed_at: (number | null)[];
  state: State[];
  resume: string;
  sent_at: number;
}

export type Frame =
  | { type: "hello"; protocol: number; server_time: string; neighbours?: unknown }
  | Snapshot
  | Delta
  | { type: "incident"; event: { type: string; data: Incident }; resume: string }
  | { type: "pulse"; server_time: string; lag_ms: number; behind_ms: number; conflated: number }
  | { type: "resync"; reason: string }
  | { type: "screen"; screen: unknown }
  | { type: "neighbours"; neighbours: unknown };

/** Parallel columns, one place per series. */
export class Picture {
  sensor: string[] = [];
  metric: string[] = [];
  value: (number | null)[] = [];
  observedAt: (number | null)[] = [];
  state: State[] = [];
  /** Not closed, by id. */
  incidents = new Map<string, Incident>();
  /** Other cities' warnings that hold. */
  neighbours: unknown = null;
  resume: string | null = null;
  private closed = new Map<string, number>();

  apply(frame: Frame): void {
    if (frame.type === "snapshot") this.replace(frame);
    else if (frame.type === "delta") this.change(frame);
    else if (frame.type === "incident") this.step(frame.event.data);
    else if (frame.type === "hello" || frame.type === "neighbours") this.neighbours = frame.neighbours ?? null;
    else if (frame.type === "resync") this.resume = null; // a snapshot follows
    if ("resume" in frame) this.resume = frame.resume;
  }

  private replace({ sensors, series, incidents }: Snapshot): void {
    this.sensor = series.sensor.map((place) => sensors.id[place] ?? "");
    this.metric = series.metric;
    this.value = series.value;
    this.observedAt = series.observed_at;
    this.state = series.state;
    this.incidents = new Map(incidents.map((one) => [one.id, one]));
    this.closed.clear();
  }

  private change(frame: Delta): void {
    frame.series.forEach((place, at) => {
      this.value[place] = frame.value[at] ?? null;
      this.observedAt[place] = frame.observed_at[at] ?? null;
      this.state[place] = frame.state[at] ?? "never";
    });
  }

  /** A step may come twice: what is not newer changes nothing. */
  private step(incident: Incident): void {
    const known = this.incidents.get(incident.id)?.version ?? this.closed.get(incident.id) ?? 0;
    if (incident.version <= known) return;
    if (incident.state === "closed") {
      this.incidents.delete(incident.id);
      this.closed.set(incident.id, incident.version);
    } else {
      this.incidents.set(incident.id, incident);
    }
  }
}

export const PROTOCOL = 1;
/** Milliseconds between attempts, ±30 %. */
const PAUSES = [0, 1000, 2000, 4000, 5000];
/** The server speaks every 5 s. */
const SILENCE_MS = 15_000;
const PAINTED_MS = 1000;
/** A bad frame, no rights, another site: trying again is no use. */
const REFUSED = new Set([4400, 4401, 4403]);

export class LiveClient {
  readonly picture = new Picture();
  private socket: WebSocket | null = null;
  private wanted = false;
  private attempt = 0;
  private painted = 0;
  private alarm: ReturnType<typeof setTimeout> | undefined;
  /** A snapshot takes time to unpack: what comes after it waits. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly address: string,
    private readonly token: string,
    private readonly onFrame: (picture: Picture, frame: Frame) => void,
    private readonly filter: Filter | null = null,
    private readonly onRefused: (reason: string) => void = () => {},
  ) {}

  start(): void {
    this.stop();
    this.wanted = true;
    this.open();
  }

  stop(): void {
    this.wanted = false;
    this.drop();
  }

  private open(): void {
    const socket = new WebSocket(`${this.address}?token=${encodeURIComponent(this.token)}`);
    this.socket = socket;
    this.turn = Promise.resolve();
    socket.binaryType = "arraybuffer";
    socket.onopen = () =>
      this.say({ type: "hello", resume: this.picture.resume, filter: this.filter, accept: ["gzip"] });
    socket.onmessage = ({ data }) => {
      this.listen(socket);
      this.turn = this.turn.then(async () => this.take(socket, await unpacked(data)));
    };
    socket.onclose = ({ code, reason }) => this.lose(socket, code, reason);
    this.listen(socket);
  }

  private drop(): void {
    clearTimeout(this.alarm);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private take(socket: WebSocket, frame: Frame): void {
    if (socket !== this.socket) return;
    if (frame.type === "hello" && frame.protocol !== PROTOCOL) {
      this.stop();
      this.onRefused(`the server speaks protocol ${frame.protocol}`);
      return;
    }
    this.picture.apply(frame);
    this.onFrame(this.picture, frame);
    // Not at hello: whoever is dropped at once must not hammer.
    if (frame.type === "pulse") this.attempt = 0;
    if (frame.type === "delta" && performance.now() - this.painted > PAINTED_MS) {
      this.painted = performance.now();
      this.say({ type: "painted", sent_at: frame.sent_at });
    }
  }

  private lose(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.socket) return;
    this.drop();
    if (REFUSED.has(code)) {
      this.stop();
      this.onRefused(reason);
      return;
    }
    const pause = PAUSES[Math.min(this.attempt++, PAUSES.length - 1)] ?? 0;
    setTimeout(() => this.wanted && this.socket === null && this.open(), pause * (0.7 + 0.6 * Math.random()));
  }

  /** A half-open socket never closes by itself: silence ends it. */
  private listen(socket: WebSocket): void {
    clearTimeout(this.alarm);
    this.alarm = setTimeout(() => this.lose(socket, 1006, "silence"), SILENCE_MS);
  }

  private say(frame: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }
}

async function unpacked(data: unknown): Promise<Frame> {
  if (typeof data === "string") return JSON.parse(data) as Frame;
  const packed = new Blob([data as ArrayBuffer]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).json() as Promise<Frame>;
}
