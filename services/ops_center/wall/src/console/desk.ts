/** The console's state: the live picture, what the operator chose, and the commands under way. */

import { computed, signal, type Signal } from "@preact/signals";

import { ApiError, get, post } from "../api";
import { browser } from "../live/browser";
import type { Cause, Incident } from "../live/protocol";
import { standsAlone } from "../live/reducer";
import { expire, person } from "../login/session";
import { Board } from "../wall/board";
import { guess, specOf, type Command, type Words } from "./commands";
import { newest, openOnes } from "./merge";
import { EVERYTHING, homeArea, type QueueFilter } from "./queue";
import { route, show } from "./route";
import { flooded, newOnes } from "./work/flood";
import { announce } from "./work/sound";

export interface Step {
  type: string;
  at: string;
  actor: string;
  note: string;
  version: number;
  cause?: Cause | null;
}

export interface Dossier extends Incident {
  timeline: Step[];
}

/** `beaten`: somebody else was first; `failed`: the server, or the way to it, said no. */
export type Notice =
  | { kind: "beaten"; command: Command; last: Step | null }
  | { kind: "failed"; command: Command; error: unknown };

export type Dialogue = "silence" | "merge" | "report" | "help";

const ANSWERS_KEPT = 300;
const FRESH_STEP_MS = 5000;

export class Desk {
  readonly board = new Board(browser);
  readonly filter = signal<QueueFilter>(EVERYTHING);
  readonly selected = computed(() => (route.value.page === "incidents" ? route.value.item : null));
  readonly answers = signal<ReadonlyMap<string, Incident>>(new Map());
  readonly guesses = signal<ReadonlyMap<string, Incident>>(new Map());
  readonly notices = signal<ReadonlyMap<string, Notice>>(new Map());
  /** The command whose form is open for the chosen incident. */
  readonly asking = signal<Command | null>(null);
  /** The dialog that is open over the page. */
  readonly opened = signal<Dialogue | null>(null);
  /** Ids that people have ticked, for doing one thing with all of them. */
  readonly marked = signal<ReadonlySet<string>>(new Set());
  /** What has just succeeded, for those who hear the page instead of seeing it. */
  readonly said = signal<{ command: Command; title: string } | null>(null);

  /** Those with a row of their own. */
  readonly open = computed(() => openOnes({
    live: this.board.incidents.value, closed: this.board.picture.closed,
    answers: this.answers.value, guesses: this.guesses.value,
  }).filter(standsAlone));

  /** What has opened within the last ten minutes, whatever became of it. */
  readonly fresh = computed(() => newOnes(this.open.value, Math.floor(this.board.beat.value / FRESH_STEP_MS) * FRESH_STEP_MS));
  readonly flood = signal(false);

  private started = false;
  private looked = false;

  /** Also after a new login: the socket then comes back with the new session. */
  start(): void {
    if (this.started) return this.board.restart();
    this.started = true;
    this.board.start();
    this.board.subscribe((flush) => {
      if (!flush.snapshot) return;
      this.answers.value = new Map();
      this.lookHome();
    });
    this.board.link.subscribe((link) => link === "refused" && expire());
    this.fresh.subscribe((fresh) => void (this.flood.value = flooded(this.flood.peek(), fresh.length)));
    this.heed();
  }

  /** Once: whose roles are all for one district looks there first; the whole city is a click away. */
  private lookHome(): void {
    const home = homeArea(person.value?.grants ?? []);
    const { picture, city } = this.board;
    if (!this.looked && home !== null && home !== String(city.peek()?.adcode) && picture.areas.has(home)) {
      this.filter.value = { ...EVERYTHING, area: home };
    }
    this.looked = true;
  }

  /** Sounds for what opens while one watches; not for history, nor for what is silenced. */
  private heed(): void {
    let told: ReadonlySet<string> = new Set();
    this.open.subscribe((open) => {
      const fresh = this.board.fresh.peek();
      const opened = open.filter((one) => fresh.has(one.id) && !told.has(one.id));
      told = new Set([...fresh].filter((id) => told.has(id) || opened.some((one) => one.id === id)));
      announce(opened.filter((one) => !one.historical && one.suppressed == null), this.flood.peek(), performance.now());
    });
  }

  select(id: string | null): void {
    if (id !== this.selected.value) this.asking.value = null;
    show("incidents", id);
  }

  /** Ticks an incident, or takes the tick away. */
  mark(id: string): void {
    const next = new Set(this.marked.value);
    if (!next.delete(id)) next.add(id);
    this.marked.value = next;
  }

  /** At once where one click is enough; else opens the form, or closes it. */
  take(id: string, command: Command): void {
    if (specOf(command).atOnce) void this.run(id, command, { note: "" });
    else this.asking.value = this.asking.value === command ? null : command;
  }

  /** The newest that is known of an incident, with a guess on top while one is pending. */
  incident(id: string): Incident | undefined {
    const live = this.board.incidents.value.find((one) => one.id === id);
    return this.guesses.value.get(id) ?? newest(live, this.answers.value.get(id));
  }

  /** Changes whenever the server's view of the incident may have. */
  stamp(id: string): string {
    const live = this.board.incidents.value.find((one) => one.id === id);
    const version = live?.version ?? this.board.picture.closed.get(id) ?? 0;
    return `${this.board.epoch.value}/${version}`;
  }

  async dossier(id: string, signal?: AbortSignal): Promise<Dossier> {
    const found = await get<Dossier>(`/v1/incidents/${encodeURIComponent(id)}`, {}, signal);
    this.learn(found);
    return found;
  }

  learn(incident: Incident): void {
    const known = this.answers.value.get(incident.id);
    if (known && known.version >= incident.version) return;
    const answers = [...this.answers.value].filter(([id]) => id !== incident.id);
    this.answers.value = new Map([...answers.slice(1 - ANSWERS_KEPT), [incident.id, incident]]);
  }

  /** True when the server agreed. */
  async run(id: string, command: Command, words: Words): Promise<boolean> {
    const seen = this.incident(id);
    if (seen === undefined || this.guesses.value.has(id)) return false;
    this.dismiss(id);
    put(this.guesses, id, guess(seen, command, words));
    try {
      this.learn(await this.send(seen, command, words));
      this.said.value = { command, title: seen.title };
      if (this.asking.value === command) this.asking.value = null;
      return true;
    } catch (error) {
      put(this.notices, id, await this.reason(seen, command, error));
      return false;
    } finally {
      drop(this.guesses, id);
    }
  }

  dismiss(id: string): void {
    drop(this.notices, id);
  }

  private async send(seen: Incident, command: Command, words: Words): Promise<Incident> {
    const ask = (version: number): Promise<Incident> =>
      post<Incident>(`/v1/incidents/${seen.id}/${command}`, { ...words, version });
    try {
      return await ask(seen.version);
    } catch (error) {
      if (!isConflict(error) || !specOf(command).atOnce) throw error;
      // The alert may have moved meanwhile, without anybody having worked on the incident.
      const fresh = await this.dossier(seen.id);
      if (fresh.state !== seen.state) throw error;
      return ask(fresh.version);
    }
  }

  private async reason(seen: Incident, command: Command, error: unknown): Promise<Notice> {
    if (error instanceof ApiError && error.status === 401) expire();
    if (!isConflict(error)) return { kind: "failed", command, error };
    const fresh = await this.dossier(seen.id).catch(() => null);
    if (fresh === null || fresh.version <= seen.version) return { kind: "failed", command, error };
    return { kind: "beaten", command, last: lastStep(fresh.timeline) };
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

export function lastStep(timeline: readonly Step[]): Step | null {
  return [...timeline].sort((a, b) => b.version - a.version)[0] ?? null;
}

/** The reading that opened it. */
export function opening(timeline: readonly Step[]): Cause | null {
  return [...timeline].sort((a, b) => a.version - b.version).find((step) => step.cause)?.cause ?? null;
}

function put<T>(held: Signal<ReadonlyMap<string, T>>, id: string, value: T): void {
  held.value = new Map(held.value).set(id, value);
}

function drop<T>(held: Signal<ReadonlyMap<string, T>>, id: string): void {
  const rest = new Map(held.value);
  if (rest.delete(id)) held.value = rest;
}
