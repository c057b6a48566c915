/** A refusal, as the server words it: problem+json (RFC 9457). */
import type { components } from "./schema";

export type Problem = Partial<components["schemas"]["Problem"]>;
export type FieldError = components["schemas"]["FieldError"];

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly problem: Problem,
    /** Seconds to wait before asking again. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? code);
    this.name = "ApiError";
  }

  /** What the server's log calls this request; a person may quote it. */
  get requestId(): string | null {
    return this.problem.request_id ?? null;
  }

  /** The faulty fields, if the server named any. */
  get fields(): readonly FieldError[] {
    return this.problem.errors ?? [];
  }
}

/** Retry-After: seconds, or a date. */
export function retryAfter(header: string | null, now: number): number | null {
  if (!header) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : null;
}

export async function refusal(response: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy or a crash may answer without a body; the status is then all there is.
  }
  const code = problem.code ?? `http_${response.status}`;
  return new ApiError(response.status, code, problem, retryAfter(response.headers.get("Retry-After"), Date.now()));
}
