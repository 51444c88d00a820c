/** Calls to the server: a screen's token if the address carries one, else the session cookie. */

/** A problem+json answer (RFC 9457), or `status` 0 when the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly code: string = "",
    readonly problem: Record<string, unknown> = {},
  ) {
    super(detail || title);
    this.name = "ApiError";
  }
}

/** The screen token in the page's address (`?token=`), or null. */
export function screenToken(): string | null {
  return new URLSearchParams(location.search).get("token");
}

/** Address of the live socket on the page's own origin. */
export function liveUrl(): string {
  const token = screenToken();
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  return `${scheme}//${location.host}/v1/live${query}`;
}

/** Headers of an authenticated request. */
export function authHeaders(): Record<string, string> {
  const token = screenToken();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

type Query = Record<string, string | number | null | undefined>;

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  const suffix = search.size > 0 ? `?${search}` : "";
  return send<T>("GET", path + suffix, undefined, signal);
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return send<T>("POST", path, body, signal);
}

export function put<T>(path: string, body: unknown): Promise<T> {
  return send<T>("PUT", path, body);
}

export function patch<T>(path: string, body: unknown): Promise<T> {
  return send<T>("PATCH", path, body);
}

/** A body that is no JSON, such as a CSV file. */
export function upload<T>(path: string, body: Blob | string, type: string): Promise<T> {
  return answered<T>("POST", path, body, { "Content-Type": type });
}

/** What the server has as a file of its own: its text. */
export async function download(path: string, type: string): Promise<Blob> {
  const response = await ask("GET", path, undefined, { Accept: type });
  return response.blob();
}

export function remove(path: string): Promise<void> {
  return send<void>("DELETE", path);
}

function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  return answered<T>(method, path, body === undefined ? undefined : JSON.stringify(body), headers, signal);
}

async function answered<T>(
  method: string, path: string, body: BodyInit | undefined, headers: Record<string, string>, signal?: AbortSignal,
): Promise<T> {
  const response = await ask(method, path, body, headers, signal);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function ask(
  method: string, path: string, body: BodyInit | undefined, own: Record<string, string>, signal?: AbortSignal,
): Promise<Response> {
  const headers = { ...authHeaders(), ...own };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: signal ?? null };
  if (body !== undefined) init.body = body;
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", String(error));
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = await response.json().catch(() => ({})) as Record<string, unknown>;
  const text = (name: string): string =>
    typeof problem[name] === "string" ? (problem[name] as string) : "";
  const title = text("title") || response.statusText;
  return new ApiError(response.status, title, text("detail"), text("code"), problem);
}
