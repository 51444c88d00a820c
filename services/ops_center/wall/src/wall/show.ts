/** The views in turn, and what of the picture the present one holds. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import { setLanguage } from "../i18n";
import type { Incident } from "../live/protocol";
import type { Board } from "./board";
import { setTheme } from "./theme";
import { concerns, holds, viewsOf, type ShownView } from "./view";

export class Show {
  readonly views = signal<readonly ShownView[]>([]);
  readonly turn = signal(0);
  readonly view = computed<ShownView | null>(() => this.views.value[this.turn.value] ?? null);
  /** Open incidents of this view that have a row of their own; and all of them. */
  readonly top: ReadonlySignal<Incident[]>;
  readonly open: ReadonlySignal<Incident[]>;
  private since = 0;

  constructor(private readonly board: Board) {
    const mine = (incident: Incident): boolean => concerns(this.view.value, incident, board.picture);
    this.top = computed(() => board.top.value.filter(mine));
    this.open = computed(() => board.incidents.value.filter(mine));
  }

  start(search: string): () => void {
    const own = viewsOf(search);
    this.take(own);
    const assigned = this.board.screen.subscribe((screen) => own.length === 0 && this.take(screen?.views ?? []));
    const stop = this.board.beat.subscribe(() => this.tick(Date.now()));
    return () => {
      assigned();
      stop();
    };
  }

  /** Replaces the views; the one that is shown stays if it is still among them. */
  take(views: readonly ShownView[]): void {
    if (JSON.stringify(views) === JSON.stringify(this.views.value)) return;
    const shown = JSON.stringify(this.view.value);
    this.views.value = views;
    const place = views.findIndex((view) => JSON.stringify(view) === shown);
    this.go(Math.max(0, place));
  }

  /** One on, or back. */
  step(by: number): void {
    const count = this.views.value.length;
    if (count > 1) this.go((this.turn.value + by + count) % count);
  }

  /** Whether a sensor of this area belongs to the view. */
  covers(areaId: string | null): boolean {
    return holds(this.view.value, areaId, String(this.board.picture.city?.adcode ?? ""));
  }

  private tick(now: number): void {
    const seconds = this.view.value?.seconds;
    if (seconds != null && now - this.since >= 1000 * seconds) this.step(1);
  }

  private go(turn: number): void {
    this.turn.value = turn;
    this.since = Date.now(); // this machine's time: a replay's leaps
    const { theme, language } = this.view.value ?? {};
    if (theme === "dark" || theme === "light") setTheme(theme);
    if (language === "zh" || language === "en") setLanguage(language);
  }
}
