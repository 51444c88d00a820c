/** Who is at this browser, as the server knows it. */

import { signal } from "@preact/signals";

import { ApiError, get, post, put, remove } from "../api";

export type Role = "screen" | "viewer" | "operator" | "dispatcher" | "admin" | "";

/** A role in an area, with all that lies in it, and a domain of metrics; null: in all. */
export interface Grant {
  role: Role;
  area_id: string | null;
  domain: string | null;
}

export interface Person {
  username: string;
  role: Role;
  grants?: Grant[];
  /** That one works for, as incidents call it. */
  department?: string | null;
}

/**
 * `asking`: not known yet, or the server does not answer. `expired`: was in, is out. `renewing`:
 * was let in by a password that somebody else gave, and has to choose an own one first.
 */
export type Standing = "asking" | "in" | "out" | "expired" | "renewing";

export const standing = signal<Standing>("asking");
export const person = signal<Person | null>(null);
/** Why the server could not be asked, while `standing` is `asking`. */
export const trouble = signal<unknown>(null);

const ASK_AGAIN_MS = 3000;

/** Asks until the server says yes or no. */
export async function ask(): Promise<void> {
  try {
    enter(await get<Answer>("/v1/session"));
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
  enter(await post<Answer>("/v1/session", { username, password }));
}

/** Throws what the server answered, if it was not a yes. */
export async function changePassword(current: string, wanted: string): Promise<void> {
  await put("/v1/session/password", { current, new: wanted });
  enter(await get<Answer>("/v1/session"));
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

type Answer = Person & { must_change_password?: boolean };

function enter(answer: Answer): void {
  person.value = { username: answer.username, role: answer.role, grants: answer.grants ?? [], department: answer.department ?? null };
  trouble.value = null;
  standing.value = answer.must_change_password ? "renewing" : "in";
}
