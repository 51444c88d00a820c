/** The browser as a `LiveClient`'s surroundings. */

import { ApiError, get, liveUrl } from "../api";
import { reloadWhenServed } from "../reload";
import type { Socket, Surroundings } from "./client";

const RELOAD_AFTER_MS = 5000;

export const browser: Surroundings = {
  connect: () => new WebSocket(liveUrl()) as unknown as Socket,
  now: () => performance.now(),
  random: () => Math.random(),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  admitted,
  gunzip: async (data) => {
    const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  },
  outdated: () => void reloadWhenServed(RELOAD_AFTER_MS),
};

/** Runs once what has been drawn until now is on the screen; never in a hidden page. */
export function afterPaint(run: () => void): void {
  requestAnimationFrame(() => setTimeout(run));
}

/** False when the server answers that it does not know this browser's credentials. */
async function admitted(): Promise<boolean> {
  try {
    await get("/v1/session", {}, AbortSignal.timeout(5000));
  } catch (error) {
    return !(error instanceof ApiError && (error.status === 401 || error.status === 403));
  }
  return true;
}
