import { afterEach, describe, expect, it, vi } from "vitest";
import { Circle } from "lucide-react";
import { fitting, tracks } from "../src/console/frame/columns";
import { GoKeys, kept, moved } from "../src/console/frame/keys";
import { addressOf, directionOf, nextSort, objectIn, readState, writeState } from "../src/console/frame/listState";
import { type DeskSpec, desksOf, isAt, visibleDesks, visibleVerbs } from "../src/console/frame/room";
import { ActKey, hindrance } from "../src/console/frame/verb";
import access from "../src/rooms/access";
import control from "../src/rooms/control";
import journal from "../src/rooms/journal";
import mqtt from "../src/rooms/mqtt";
import system from "../src/rooms/system";
import twin from "../src/rooms/twin";
import { api, ok, onUnauthorised, setCsrf } from "../src/shared/api/client";
import { ApiError, retryAfter } from "../src/shared/api/errors";
import { holds, joined, split, toggled } from "../src/shared/filter";

/** Before the client is made: an address needs no host, as in a browser, and nothing leaves this process. */
const network = vi.hoisted(() => {
  const Native = globalThis.Request;
  const made = { answer: (request: Request): Promise<Response> => Promise.reject(new Error(`nobody answers ${request.url}`)) };
  globalThis.Request = class extends Native {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, "http://centre.test") : input, init);
    }
  };
  globalThis.fetch = (input) => made.answer(input as Request);
  return made;
});

const all = new Map(Object.entries({ access, control, journal, mqtt, system, twin }));
const everybody = { permissions: ["control.read", "journal.read", "access.tokens"], rooms: [...all.keys()] };

describe("a list's address", () => {
  it("holds filter and order, and leaves what is usual and what is others' alone", () => {
    const state = readState("?light=4&filter=rue%20state:open&sort=-at", "-at");
    expect(state).toEqual({ filter: "rue state:open", sort: "-at" });
    expect(writeState("?light=4", state, "-at")).toBe("?light=4&filter=rue+state%3Aopen");
    expect(writeState("?filter=x&sort=a", { filter: "", sort: "" })).toBe("");
    expect(readState(writeState("", { filter: 'street:"Rue d’Assas"', sort: "name" }))).toEqual({ filter: 'street:"Rue d’Assas"', sort: "name" });
  });
  it("names the object that is open, whatever its identity holds", () => {
    expect(objectIn("/parked", addressOf("/parked", "twin.x:12/é"))).toBe("twin.x:12/é");
    expect(["/commands", "/commands/", "/commandsx/1", "/commands/1/2", "/commands/%E0"].map((path) => objectIn("/commands", path))).toEqual([null, null, null, null, null]);
  });
  it("sorts rising first, then falling", () => {
    expect([nextSort("", "at"), nextSort("at", "at"), nextSort("-at", "at")]).toEqual(["at", "-at", "at"]);
    expect([directionOf("-at", "at"), directionOf("at", "at"), directionOf("x", "at")]).toEqual(["descending", "ascending", "none"]);
  });
});

describe("the keyboard in a list", () => {
  it("moves within the rows", () => {
    expect([moved("j", 0, 3), moved("k", 0, 3), moved("End", 0, 3), moved("Home", 2, 3), moved("PageDown", 0, 30)]).toEqual([1, 0, 2, 0, 10]);
    expect([moved("x", 0, 3), moved("j", 0, 0)]).toEqual([null, null]);
  });
  it("stays on its row when others come in above, and near it when it goes", () => {
    expect(kept(["n", "a", "b"], "a", 0)).toBe(1);
    expect([kept(["a"], "b", 1), kept([], "b", 1)]).toEqual([0, 0]);
  });
  it("goes to a desk by two letters, within their time", () => {
    const keys = new GoKeys();
    expect([keys.press("x", 0), keys.press("g", 10), keys.press("c", 500), keys.press("c", 600)]).toEqual([null, "", "c", null]);
    expect([keys.press("g", 0), keys.pending(1_000), keys.press("c", 9_000)]).toEqual(["", true, null]);
  });
});

describe("the columns", () => {
  const columns = [{ key: "a", title: "", cell: () => "", width: "80px" }, { key: "b", title: "", cell: () => "", from: 600 }];
  it("leave out what does not fit", () => {
    expect(tracks(fitting(columns, 599))).toBe("80px");
    expect(tracks(fitting(columns, 600))).toBe("80px minmax(80px, 1fr)");
  });
});

describe("a filter taken apart", () => {
  it("keeps every term as it was written", () => {
    const text = 'state:open street:"Rue \\"A\\" B" occurred:>=2026-11-23 chat "x';
    expect(split(text)).toEqual({
      terms: [
        { field: "state", value: "open", text: "state:open" }, { field: "street", value: 'Rue "A" B', text: 'street:"Rue \\"A\\" B"' },
        { field: "occurred", value: ">=2026-11-23", text: "occurred:>=2026-11-23" },
      ],
      words: 'chat "x',
    });
    expect(joined(split(text).terms, split(text).words)).toBe(text);
    expect(split("state:")).toEqual({ terms: [], words: "state:" });
  });
  it("takes a ready-made filter in and out, one of a field at a time", () => {
    expect(toggled("rue", "state:open")).toBe("state:open rue");
    expect(toggled("state:open rue", "state:closed")).toBe("state:closed rue");
    expect(toggled("state:open rue", "state:open")).toBe("rue");
    expect([holds("a state:open", "state:open"), holds("a", "state:open")]).toEqual([true, false]);
  });
});

describe("the rooms", () => {
  const names = (desks: readonly DeskSpec[]) => desks.map(({ name }) => name);
  it("show the desks that a person may use, in the rail's order", () => {
    expect(names(visibleDesks(all, everybody))).toEqual(["approvals", "commands", "journal", "administration", "account", "design"]);
    expect(visibleVerbs(new Map([["a", { verbs: [{ name: "x", needs: ["y"], run: () => undefined }] }]]), { permissions: [], rooms: ["a"] })).toEqual([]);
  });
  it("show nothing of a room that is switched off", () => {
    expect(names(visibleDesks(all, { ...everybody, rooms: ["journal", "access"] }))).toEqual(["approvals", "journal", "administration", "account"]);
  });
  it("have no two desks with one address or one letter", () => {
    const desks = [...all.values()].flatMap(desksOf);
    for (const of of [desks.map(({ path }) => path), desks.flatMap(({ go }) => go ?? []), names(desks)]) expect(new Set(of).size).toBe(of.length);
    expect(desks.map(({ go }) => go)).not.toContain("m");
  });
  it("own what is below their address", () => {
    const desk = { name: "a", path: "/a", group: "watch", icon: Circle, load: () => Promise.reject(new Error()) } as const;
    expect([isAt(desk, "/a"), isAt(desk, "/a/1"), isAt(desk, "/ab"), isAt({ path: "/" }, "/a")]).toEqual([true, true, false, false]);
  });
});

describe("a verb", () => {
  const fine = { permitted: true, live: true, needsLive: true, refused: null, wait: 0 };
  it("says why it may not be used, permission first", () => {
    expect(hindrance(fine)).toBeNull();
    expect(hindrance({ ...fine, permitted: false, live: false })).toEqual({ why: "permission" });
    expect(hindrance({ ...fine, refused: "closed", live: false })).toEqual({ why: "refused", words: "closed" });
    expect(hindrance({ ...fine, live: false })).toEqual({ why: "live" });
    expect(hindrance({ ...fine, live: false, needsLive: false })).toBeNull();
    expect(hindrance({ ...fine, wait: 3 })).toEqual({ why: "wait", seconds: 3 });
  });
  it("keeps its key until the server answered or the act is another", () => {
    const keys = new ActKey();
    const first = keys.for(["close", "why"]);
    expect(keys.for(["close", "why"])).toBe(first);
    expect(keys.for(["close", "else"])).not.toBe(first);
    const second = keys.for(["close", "why"]);
    keys.done();
    expect(keys.for(["close", "why"])).not.toBe(second);
  });
});

describe("calls", () => {
  afterEach(() => {
    onUnauthorised(() => undefined);
  });
  const answer = (response: Response | Error) => {
    const sent: Request[] = [];
    network.answer = (request) => {
      sent.push(request);
      return response instanceof Error ? Promise.reject(response) : Promise.resolve(response);
    };
    return sent;
  };
  const problem = (status: number, body: object, headers: Record<string, string> = {}) =>
    new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json", ...headers } });

  it("give the answer, and carry the token of the session only where something changes", async () => {
    setCsrf("token");
    const sent = answer(Response.json({ items: [], next: null, total: 0 }));
    await expect(ok(api.GET("/api/v1/commands", { params: { query: { cursor: null, open: true } } }))).resolves.toEqual({ items: [], next: null, total: 0 });
    expect(sent[0]?.url).toBe("http://centre.test/api/v1/commands?open=true");
    expect(sent[0]?.headers.get("X-CSRF-Token")).toBeNull();
    const changed = answer(Response.json({}));
    await ok(api.POST("/api/v1/commands/{command_id}/cancel", { params: { path: { command_id: "a/b" } }, body: { reason: "r" } }));
    expect(changed[0]?.url).toBe("http://centre.test/api/v1/commands/a%2Fb/cancel");
    expect(changed[0]?.headers.get("X-CSRF-Token")).toBe("token");
  });
  it("throw a refusal with its code, fields, waiting time and request", async () => {
    answer(problem(422, { code: "invalid", detail: "No.", params: { a: 1 }, request_id: "r1", errors: [{ field: "reason", message: "m", code: "c" }] }, { "Retry-After": "7" }));
    const error = await ok(api.GET("/api/v1/system")).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    const { code, status, requestId, fields, retryAfter: after } = error as ApiError;
    expect([code, status, requestId, after, fields[0]?.field]).toEqual(["invalid", 422, "r1", 7, "reason"]);
  });
  it("tell of a session that ended, but not of a refused login", async () => {
    const ended = vi.fn();
    onUnauthorised(ended);
    answer(problem(401, { code: "login_failed" }));
    await expect(ok(api.POST("/api/v1/session", { body: { username: "a", password: "b" } }))).rejects.toThrow();
    expect(ended).not.toHaveBeenCalled();
    answer(problem(401, {}));
    await expect(ok(api.GET("/api/v1/system"))).rejects.toMatchObject({ code: "http_401" });
    expect(ended).toHaveBeenCalledOnce();
  });
  it("say that the server is out of reach, and let what was given up be", async () => {
    answer(new TypeError("failed"));
    await expect(ok(api.GET("/api/v1/system"))).rejects.toMatchObject({ status: 0, code: "offline" });
    answer(new DOMException("given up", "AbortError"));
    await expect(ok(api.GET("/api/v1/system"))).rejects.toMatchObject({ name: "AbortError" });
  });
  it("read Retry-After as seconds or as a date", () => {
    const now = Date.parse("2026-11-28T21:14:00Z");
    expect([retryAfter("3", now), retryAfter("Sat, 28 Nov 2026 21:14:05 GMT", now), retryAfter("soon", now), retryAfter(null, now)]).toEqual([3, 5, null, null]);
  });
});
