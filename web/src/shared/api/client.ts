/**
 * Typed calls, straight from the API's description: the path, its parameters and its answer are checked by the compiler.
 *
 *     const entry = await ok(api.GET("/api/v1/journal/{entry_id}", { params: { path: { entry_id: id } } }));
 *
 * A refusal is thrown as an ApiError; nothing else needs to look at a response.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { ApiError, refusal } from "./errors";
import type { paths } from "./schema";

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

const ours: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET") {
      for (const [name, value] of Object.entries(csrfHeader())) request.headers.set(name, value);
    }
    return request;
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return;
    const error = await refusal(response);
    // A refused login is the form's to show; the session that ended anywhere else is everyone's.
    if (error.status === 401 && !schemaPath.startsWith("/api/v1/session")) unauthorised();
    throw error;
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    return new ApiError(0, "offline", {});
  },
};

export const api = createClient<paths>({ credentials: "same-origin", headers: { Accept: "application/json" } });
api.use(ours);

type Answer = { data?: unknown };

/** What the server answered; a refusal has been thrown before. */
export async function ok<A extends Answer>(call: Promise<A>): Promise<Exclude<A["data"], undefined>> {
  return (await call).data as Exclude<A["data"], undefined>;
}

/** Sent with an act: the same act sent again after a lost answer has no second effect. */
export const idempotency = (key: string) => ({ "Idempotency-Key": key });

/** As the server asks for it: a change is refused when somebody else was faster. */
export const ifMatch = (version: number) => ({ "If-Match": `"${version}"` });
