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
  return socketUrl("/v1/live");
}

/** Address of a socket on the page's own origin. */
export function socketUrl(path: string): string {
  const token = screenToken();
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  return `${scheme}//${location.host}${path}${query}`;
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

export function remove(path: string): Promise<void> {
  return send<void>("DELETE", path);
}

async function send<T>(
  method: string, path: string, body?: unknown, signal?: AbortSignal,
): Promise<T> {
  const headers = authHeaders();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: signal ?? null };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", String(error));
  }
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = await response.json().catch(() => ({})) as Record<string, unknown>;
  const text = (name: string): string =>
    typeof problem[name] === "string" ? (problem[name] as string) : "";
  const title = text("title") || response.statusText;
  return new ApiError(response.status, title, text("detail"), text("code"), problem);
}
