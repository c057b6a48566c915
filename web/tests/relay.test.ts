import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveConnection, type Socket } from "../src/shared/live/connection";
import type { Frame, Item, Wish } from "../src/shared/live/protocol";
import { type FromTab, LiveRelay, type Port, type ToTab } from "../src/shared/live/relay";
import { RowStore } from "../src/shared/live/rows";
import { LightStore } from "../src/shared/live/store";

const channel = "21231/lighting";
const topics = ["control.commands", "core.system"];

/** A server with one channel of three lights and two topics, speaking to one socket. */
class Server implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  wishes: Wish[] = [];
  closed = false;
  levels = [10, 20, null] as (number | null)[];
  seq = 1;
  rows = new Map(topics.map((topic) => [topic, new Map<string, { n: number }>()]));
  followed = new Map<string, number>();
  subscribed = false;

  send(text: string): void {
    const wish = JSON.parse(text) as Wish;
    this.wishes.push(wish);
    if (wish.op === "subscribe") {
      this.subscribed = true;
      this.say({ op: "hello", server: "s", now: Date.now() + 5_000, kinds: {} });
      this.items([this.snapshot()]);
      this.beat();
    } else if (wish.op === "follow") {
      for (const topic of wish.topics) {
        if (!this.rows.has(topic)) this.say({ op: "error", code: "not_found", topic });
        else if (!this.followed.has(topic)) this.items([this.topic(topic)]);
      }
      for (const topic of [...this.followed.keys()]) if (!wish.topics.includes(topic)) this.followed.delete(topic);
    } else this.items(["channel" in wish ? this.snapshot() : this.topic(wish.topic)]);
  }
  close(): void {
    this.closed = true;
  }
  say(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  items(items: Item[]): void {
    this.say({ op: "batch", now: Date.now() + 5_000, age: 1, items });
  }
  beat(live = true): void {
    this.say({ op: "heartbeat", now: Date.now() + 5_000, live, lag_s: 0.2 });
  }
  columns(ids: number[]) {
    return {
      id: ids, at: ids.map((id) => 1_700_000_000 + id), values: {
        dimmingLevel: ids.map((id) => this.levels[id - 1] ?? null), activePower: ids.map(() => 1),
      },
      flags: ids.map(() => 0),
    };
  }
  snapshot(): Item {
    return { op: "snapshot", channel, seq: this.seq, kind: "Streetlight", lon: [5, 5.1, 5.2], lat: [47, 47.1, 47.2], ...this.columns([1, 2, 3]) };
  }
  topic(topic: string): Item {
    const seq = (this.followed.get(topic) ?? 0) + 1;
    this.followed.set(topic, seq);
    return { op: "rows", topic, seq, complete: true, rows: [...(this.rows.get(topic) ?? [])] };
  }
  light(id: number, level: number, lost: boolean): void {
    this.levels[id - 1] = level;
    this.seq++;
    if (this.subscribed && !lost) this.items([{ op: "delta", channel, seq: this.seq, prev: this.seq - 1, ...this.columns([id]) }]);
  }
  row(topic: string, id: string, n: number | null): void {
    const rows = this.rows.get(topic);
    if (n === null) rows?.delete(id);
    else rows?.set(id, { n });
    const seq = this.followed.get(topic);
    if (seq === undefined) return;
    this.followed.set(topic, seq + 1);
    this.items([{
      op: "change", topic, seq: seq + 1, prev: seq, put: n === null ? [] : [[id, { n }]], drop: n === null ? [id] : [], hint: [],
    }]);
  }
}

let servers: Server[];
let relay: LiveRelay;
const server = () => servers.at(-1) ?? new Server();

/** A tab's end of a port. */
class Tab implements Socket, Port {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  postMessage(message: ToTab): void {
    if ("open" in message) this.onopen?.();
    else if ("text" in message) this.onmessage?.({ data: message.text });
    else this.onclose?.({ code: message.close });
  }
  send(text: string): void {
    this.post({ text });
  }
  close(): void {
    this.post({ bye: true });
  }
  private post(message: FromTab): void {
    relay.receive(this, message);
  }
}

class Screen {
  readonly lights = new LightStore();
  readonly rows = new RowStore();
  loggedOut = 0;
  readonly connection = new LiveConnection(() => "", this.lights, this.rows, {
    open: () => {
      const tab = new Tab();
      queueMicrotask(() => relay.attach(tab));
      return tab;
    },
    onUnauthorised: () => this.loggedOut++,
  });
  async start(): Promise<void> {
    this.connection.start();
    await Promise.resolve();
    await Promise.resolve();
    if (server().onopen && !server().subscribed) server().onopen?.();
  }
  levels(): (number | null)[] {
    return [1, 2, 3].map((id) => this.lights.get(id)?.level ?? NaN).map((level) => (Number.isNaN(level) ? null : level));
  }
  topic(topic: string): Record<string, number> {
    return Object.fromEntries(this.rows.get(topic).list.map((row) => [row.id, (row as unknown as { n: number }).n]));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  servers = [];
  relay = new LiveRelay(() => {
    const made = new Server();
    servers.push(made);
    return made;
  });
});
afterEach(() => vi.useRealTimers());

describe("one socket for all tabs", () => {
  it("shows in every tab, whenever it came, what the server holds", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("light" as const), id: fc.integer({ min: 1, max: 3 }), level: fc.integer({ min: 0, max: 100 }), lost: fc.boolean() }),
      fc.record({ kind: fc.constant("row" as const), topic: fc.constantFrom(...topics), id: fc.constantFrom("a", "b"), n: fc.option(fc.nat()) }),
      fc.record({ kind: fc.constant("tab" as const), topic: fc.constantFrom(...topics) }),
      fc.record({ kind: fc.constant("leave" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        servers = [];
        relay = new LiveRelay(() => {
          const made = new Server();
          servers.push(made);
          return made;
        });
        const screens: { screen: Screen; topic: string }[] = [];
        const join = async (topic: string) => {
          const screen = new Screen();
          screen.connection.follow(topic);
          await screen.start();
          screens.push({ screen, topic });
        };
        await join("control.commands");
        for (const one of steps) {
          if (one.kind === "light") server().light(one.id, one.level, one.lost);
          else if (one.kind === "row") server().row(one.topic, one.id, one.n);
          else if (one.kind === "tab") await join(one.topic);
          else if (screens.length > 1) screens.shift()?.screen.connection.stop();
        }
        server().light(1, 55, false);
        expect(servers).toHaveLength(1);
        for (const { screen, topic } of screens) {
          expect(screen.levels()).toEqual(server().levels);
          expect(screen.topic(topic)).toEqual(Object.fromEntries([...(server().rows.get(topic) ?? [])].map(([id, { n }]) => [id, n])));
          expect(screen.connection.status.live).toBe(true);
          expect(screen.connection.now() - Date.now()).toBe(5_000);
          screen.connection.stop();
        }
        expect(server().closed).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("asks the server once for what several tabs follow, and no more once none does", async () => {
    const [one, two] = [new Screen(), new Screen()];
    await one.start();
    await two.start();
    const leave = one.connection.follow("core.system");
    const leaveToo = two.connection.follow("core.system");
    leave();
    vi.advanceTimersByTime(6_000);
    server().beat();
    expect(two.rows.get("core.system").ready).toBe(true);
    leaveToo();
    vi.advanceTimersByTime(6_000);
    expect(server().wishes.filter(({ op }) => op === "follow")).toEqual([
      { op: "follow", topics: ["core.system"] }, { op: "follow", topics: [] },
    ]);
  });

  it("passes refusals on, also to a tab that asks later", async () => {
    const [one, two] = [new Screen(), new Screen()];
    await one.start();
    one.connection.follow("no.such");
    await two.start();
    two.connection.follow("no.such");
    two.connection.follow("core.system");
    expect(two.rows.get("no.such").ready).toBe(false);
    expect(two.rows.get("core.system").ready).toBe(true);
  });

  it("ends for every tab with the server's code, and comes again for all on one socket", async () => {
    const screens = [new Screen(), new Screen()];
    for (const screen of screens) await screen.start();
    server().onclose?.({ code: 4401 });
    expect(screens.map(({ loggedOut }) => loggedOut)).toEqual([1, 1]);
    expect(screens.map(({ connection }) => connection.status.live)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(2_000);
    server().onopen?.();
    expect(servers).toHaveLength(2);
    expect(screens.map(({ connection }) => connection.status.live)).toEqual([true, true]);
  });

  it("is given up when it says nothing", async () => {
    const screen = new Screen();
    await screen.start();
    await vi.advanceTimersByTimeAsync(3_600);
    expect(screen.connection.status.live).toBe(false);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(servers[0]?.closed).toBe(true);
    expect(servers.length).toBeGreaterThan(1);
  });

  it("takes away what may no longer be seen", async () => {
    const screen = new Screen();
    await screen.start();
    screen.connection.follow("core.system");
    server().items([{ op: "drop", channel }, { op: "drop", topic: "core.system" }]);
    expect([screen.lights.total, screen.rows.get("core.system").ready]).toEqual([0, false]);
    const later = new Screen();
    await later.start();
    expect(later.lights.total).toBe(0);
  });
});
