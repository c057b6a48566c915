import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveConnection } from "../src/shared/live/connection";
import type { Frame } from "../src/shared/live/protocol";
import { RowStore } from "../src/shared/live/rows";
import { LightStore } from "../src/shared/live/store";

class FakeSocket {
  sent: { op: string; channel?: string }[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as { op: string; channel?: string });
  }
  close(): void {
    this.closed = true;
  }
  hear(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  drop(code: number): void {
    this.onclose?.({ code });
  }
}

let sockets: FakeSocket[] = [];
let store: LightStore;
let rows: RowStore;
let loggedOut: number;
let connection: LiveConnection;
const last = () => sockets.at(-1) ?? new FakeSocket();
const heartbeat = (live = true): Frame => ({ op: "heartbeat", now: Date.now() + 5_000, live, lag_s: 0.3 });
const columns = { at: [1], values: { dimmingLevel: [40], activePower: [20] }, flags: [0] };
const snapshot = (seq: number): Frame => ({
  op: "snapshot", channel: "a/lighting", seq, kind: "Streetlight", id: [1], lon: [5], lat: [47], ...columns,
});

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  store = new LightStore();
  loggedOut = 0;
  rows = new RowStore();
  connection = new LiveConnection(() => "ws://test", store, rows, {
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onUnauthorised: () => loggedOut++,
  });
  connection.start();
  last().onopen?.();
  last().hear({ op: "hello", server: "s", now: Date.now() + 5_000, kinds: {} });
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

describe("the live connection", () => {
  it("subscribes, takes the server's clock, and is live once the server says so", () => {
    expect(last().sent).toEqual([{ op: "subscribe", channels: null }]);
    expect(connection.status.live).toBe(false);
    last().hear({ op: "batch", now: Date.now() + 5_000, age: 600, items: [snapshot(1)] } as Frame);
    expect(connection.status.live).toBe(false);
    last().hear(heartbeat());
    expect(connection.status).toMatchObject({ live: true, lag: 0.3, since: null });
    expect(connection.now() - Date.now()).toBe(5_000);
  });

  it("is not live after three seconds of silence, and says since when", () => {
    last().hear(heartbeat());
    vi.advanceTimersByTime(2_900);
    expect(connection.status.live).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(connection.status.live).toBe(false);
    const { since } = connection.status;
    vi.advanceTimersByTime(2_000);
    expect(connection.status.since).toBe(since);
    last().hear(heartbeat());
    expect(connection.status).toMatchObject({ live: true, since: null });
  });

  it("is not live when the server says its data stands still, whatever batches come", () => {
    last().hear(heartbeat(false));
    last().hear({ op: "batch", now: Date.now(), age: 40, items: [] });
    expect(connection.status).toMatchObject({ live: false, phase: "open" });
  });

  it("asks once for a channel whose step is missing, and goes on from the answer", () => {
    last().hear(snapshot(1));
    last().hear({ op: "delta", channel: "a/lighting", seq: 4, prev: 3, id: [1], ...columns });
    last().hear({ op: "delta", channel: "a/lighting", seq: 5, prev: 4, id: [1], ...columns });
    expect(last().sent.filter(({ op }) => op === "resync")).toEqual([{ op: "resync", channel: "a/lighting" }]);
    last().hear(snapshot(5));
    last().hear({ op: "delta", channel: "a/lighting", seq: 6, prev: 5, id: [1], ...columns, values: { dimmingLevel: [70], activePower: [20] } });
    expect(store.get(1)?.level).toBe(70);
    expect(last().sent.filter(({ op }) => op === "resync")).toHaveLength(1);
  });

  it("gives up a mute socket and connects again within two seconds", () => {
    last().hear(heartbeat());
    vi.advanceTimersByTime(8_600);
    expect(sockets[0]?.closed).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(sockets.length).toBeGreaterThan(1);
  });

  it("reconnects for as long as it takes, never waiting more than two seconds", () => {
    last().hear(heartbeat());
    for (let attempt = 0; attempt < 12; attempt++) {
      const before = sockets.length;
      last().drop(1006);
      expect(connection.status.live).toBe(false);
      vi.advanceTimersByTime(2_000);
      expect(sockets.length).toBe(before + 1);
    }
    expect(loggedOut).toBe(0);
  });

  it("forgets, after a reconnection, the channels that are no longer granted", () => {
    last().hear(snapshot(1));
    last().drop(1006);
    vi.advanceTimersByTime(2_000);
    last().hear({ op: "hello", server: "s", now: Date.now(), kinds: {} });
    expect(store.total).toBe(1);
    vi.advanceTimersByTime(5_000);
    last().hear(heartbeat());
    vi.advanceTimersByTime(5_100);
    expect(store.total).toBe(0);
  });

  it("tells when the session has ended", () => {
    last().drop(4401);
    expect(loggedOut).toBe(1);
  });
});
