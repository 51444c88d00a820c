/** Who is at this browser, as the server knows it. */

import { signal } from "@preact/signals";

import { ApiError, get, post, remove } from "../api";

export type Role = "screen" | "viewer" | "operator" | "dispatcher" | "admin" | "";

export interface Person {
  username: string;
  role: Role;
}

/** `asking`: not known yet, or the server does not answer. `expired`: was in, is out. */
export type Standing = "asking" | "in" | "out" | "expired";

export const standing = signal<Standing>("asking");
export const person = signal<Person | null>(null);
/** Why the server could not be asked, while `standing` is `asking`. */
export const trouble = signal<unknown>(null);

const ASK_AGAIN_MS = 3000;

/** Asks until the server says yes or no. */
export async function ask(): Promise<void> {
  try {
    enter(await get<Person>("/v1/session"));
  } catch (error) {
    if (refuses(error)) {
      standing.value = "out";
      return;
    }
    trouble.value = error;
    setTimeout(() => void ask(), ASK_AGAIN_MS);
  }
}

/** Throws what the server answered, if it was not a yes. */
export async function logIn(username: string, password: string): Promise<void> {
  enter(await post<Person>("/v1/session", { username, password }));
}

export async function logOut(): Promise<void> {
  await remove("/v1/session");
  person.value = null;
  standing.value = "out";
}

/** The server no longer knows this session. */
export function expire(): void {
  if (standing.value === "in") standing.value = "expired";
}

export function refuses(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

function enter(answer: Person): void {
  person.value = { username: answer.username, role: answer.role };
  trouble.value = null;
  standing.value = "in";
}
