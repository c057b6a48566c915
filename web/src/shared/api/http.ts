/** One way to ask the server: JSON in, JSON out, a refusal becomes an ApiError that knows its code. */
export interface ProblemBody {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  params?: Record<string, unknown>;
  request_id?: string;
  errors?: { field?: string; code?: string; message?: string }[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly problem: ProblemBody,
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? code);
    this.name = "ApiError";
  }
}

export type Query = Record<string, string | number | null | undefined>;

interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const base = "/api/v1";
let csrf = "";
let unauthorised: () => void = () => undefined;

export function setCsrf(token: string): void {
  csrf = token;
}

/** What an unsafe request carries beside its body. */
export const csrfHeader = (): Record<string, string> => (csrf ? { "X-CSRF-Token": csrf } : {});

/** Called when a request finds that the session has ended. */
export function onUnauthorised(handler: () => void): void {
  unauthorised = handler;
}

function address(path: string, query?: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return `${base}${path}${text ? `?${text}` : ""}`;
}

async function refusal(response: Response): Promise<ApiError> {
  let problem: ProblemBody = {};
  try {
    problem = (await response.json()) as ProblemBody;
  } catch {
    // A proxy or a crash may answer without a body; the status is then all there is.
  }
  const after = Number(response.headers.get("Retry-After"));
  const code = problem.code ?? `http_${response.status}`;
  return new ApiError(response.status, code, problem, Number.isFinite(after) && after > 0 ? after : null);
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = "GET", query, body, headers = {}, signal } = options;
  const init: RequestInit = { method, credentials: "same-origin", headers: { Accept: "application/json", ...headers } };
  const head = init.headers as Record<string, string>;
  if (method !== "GET" && csrf) head["X-CSRF-Token"] = csrf;
  if (body !== undefined) {
    head["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  if (signal) init.signal = signal;

  let response: Response;
  try {
    response = await fetch(address(path, query), init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "offline", {});
  }
  if (!response.ok) {
    const error = await refusal(response);
    if (error.status === 401 && !path.startsWith("/session")) unauthorised();
    throw error;
  }
  if (response.status === 204 || response.headers.get("Content-Length") === "0") return undefined as T;
  return (await response.json()) as T;
}
