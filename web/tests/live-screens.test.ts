import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { merge } from "../src/rooms/control/events";
import { systemOf } from "../src/rooms/system/live";
import type { Command, Component } from "../src/shared/api/types";
import { type Rows, RowStore } from "../src/shared/live/rows";
import type { Centre, OpenCommand } from "../src/shared/live/topics";

function rowsOf<T extends object>(rows: Record<string, T>): Rows<T> {
  const store = new RowStore();
  store.snapshot({ op: "rows", topic: "t", seq: 1, complete: true, rows: Object.entries(rows) });
  return store.get("t") as Rows<T>;
}

describe("commands under way", () => {
  const asked = (client: QueryClient, key: unknown[]) => client.getQueryState(key)?.isInvalidated;

  it("bring their counts to what is open on the screen; ended ones are asked for anew", () => {
    const client = new QueryClient();
    for (const id of ["a", "b", "c"]) {
      client.setQueryData(["command", id], { id, total: 5, counts: { sent: 5 }, ended_at: null });
      client.setQueryData(["targets", id], []);
    }
    client.setQueryData(["commands"], []);
    const open = rowsOf({ a: { total: 5, counts: { sent: 2, confirmed: 3 } } as unknown as OpenCommand });
    merge(client, open, ["a", "b"]);
    expect(client.getQueryData<Command>(["command", "a"])?.counts).toEqual({ sent: 2, confirmed: 3 });
    expect(asked(client, ["command", "a"])).toBe(false);
    expect(asked(client, ["command", "b"])).toBe(true);
    expect([asked(client, ["targets", "a"]), asked(client, ["targets", "c"]), asked(client, ["commands"])]).toEqual([true, false, true]);
  });

  it("are all asked for anew when nobody knows which changed", () => {
    const client = new QueryClient();
    client.setQueryData(["command", "c"], {});
    merge(client, rowsOf<OpenCommand>({}), null);
    expect(asked(client, ["command", "c"])).toBe(true);
  });
});

describe("the system page", () => {
  it("is put together from its rows, once the centre's own is there", () => {
    const component = (role: string, name: string) => ({ role, name }) as Component;
    expect(systemOf(rowsOf<Component | Centre>({ "api/1/http": component("api", "http") }))).toBeNull();
    const system = systemOf(rowsOf<Component | Centre>({
      "watch/1/x": component("watch", "x"), centre: { status: "ok" } as Centre,
      "api/1/live": component("api", "live"), "api/1/http": component("api", "http"),
    }));
    expect(system?.status).toBe("ok");
    expect(system?.components.map(({ name }) => name)).toEqual(["http", "live", "x"]);
  });
});
