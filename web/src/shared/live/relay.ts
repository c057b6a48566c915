/**
 * One socket for all tabs of a browser: what runs in the SharedWorker.
 *
 * To a tab it looks like the server: hello, snapshots, changes, heartbeats, close codes. It applies every frame to
 * stores of its own, so that a tab that comes later gets its snapshots from here. It says nothing of its own about
 * being live: that heartbeats stay away is noticed in each tab.
 */
import type { Socket } from "./connection";
import type { Frame, Hello, Item, Snapshot, Wish } from "./protocol";
import { RowStore } from "./rows";
import { type Channel, LightStore } from "./store";

export type ToTab = { open: true } | { text: string } | { close: number };
export type FromTab = { text: string } | { bye: true };

/** One tab, as far as this knows it. */
export interface Port {
  postMessage(message: ToTab): void;
}

interface Tab {
  subscribed: boolean;
  topics: ReadonlySet<string>;
}

/** A socket that said nothing for so long is given up when a tab comes (again). */
const mute = 5_000;

export class LiveRelay {
  private readonly tabs = new Map<Port, Tab>();
  private readonly lights = new LightStore();
  private readonly rows = new RowStore();
  private readonly asked = new Set<string>();
  private readonly refused = new Set<string>();
  private topics: ReadonlySet<string> = new Set();
  private socket: Socket | null = null;
  private isOpen = false;
  private subscribed = false;
  private lastFrame = 0;
  private hello: Hello | null = null;
  private offset = 0;
  private heartbeat = "";

  constructor(
    private readonly open: () => Socket,
    private readonly clock: () => number = Date.now,
  ) {}

  attach(port: Port): void {
    if (this.socket && this.clock() - this.lastFrame > mute) this.lose(0);
    this.tabs.set(port, { subscribed: false, topics: new Set() });
    if (!this.socket) this.connect();
    else if (this.isOpen) port.postMessage({ open: true });
  }

  detach(port: Port): void {
    if (!this.tabs.delete(port)) return;
    if (this.tabs.size === 0) this.forget();
    else this.tellTopics();
  }

  receive(port: Port, message: FromTab): void {
    const tab = this.tabs.get(port);
    if ("bye" in message) this.detach(port);
    if ("bye" in message || !tab) return;
    const wish = JSON.parse(message.text) as Wish;
    if (wish.op === "subscribe") this.subscribe(port, tab);
    else if (wish.op === "follow") this.follow(port, tab, wish.topics);
    else if ("channel" in wish) this.resync(port, wish, wish.channel, this.picture(wish.channel));
    else this.resync(port, wish, wish.topic, this.rows.frame(wish.topic));
  }

  private subscribe(port: Port, tab: Tab): void {
    tab.subscribed = true;
    if (!this.subscribed) {
      this.subscribed = true;
      this.say({ op: "subscribe", channels: null });
    } else if (this.hello) {
      this.give(port, { ...this.hello, now: this.clock() + this.offset });
      this.giveItems(port, [...this.lights.channels.keys()].map((name) => this.picture(name)));
      if (this.heartbeat) port.postMessage({ text: this.heartbeat });
    }
  }

  private follow(port: Port, tab: Tab, topics: string[]): void {
    const before = tab.topics;
    tab.topics = new Set(topics);
    for (const topic of topics) {
      if (this.refused.has(topic)) this.give(port, { op: "error", code: "not_found", topic });
    }
    this.giveItems(port, topics.filter((topic) => !before.has(topic)).map((topic) => this.rows.frame(topic)));
    this.tellTopics();
  }

  /** An answer from here, unless the server's own is on its way to all. */
  private resync(port: Port, wish: Wish, name: string, item: Item | null): void {
    if (this.asked.has(name)) return;
    if (item) this.giveItems(port, [item]);
    else this.say(wish);
  }

  private tellTopics(): void {
    const wanted = new Set([...this.tabs.values()].flatMap(({ topics }) => [...topics]));
    if (wanted.size === this.topics.size && [...wanted].every((topic) => this.topics.has(topic))) return;
    for (const topic of this.topics) if (!wanted.has(topic)) this.rows.drop(topic);
    this.topics = wanted;
    this.say({ op: "follow", topics: [...wanted] });
  }

  private connect(): void {
    const socket = this.open();
    this.socket = socket;
    this.lastFrame = this.clock();
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.isOpen = true;
      for (const port of this.tabs.keys()) port.postMessage({ open: true });
    };
    socket.onmessage = ({ data }) => {
      if (this.socket === socket) this.frame(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.lose(code);
    };
  }

  private frame(text: string): void {
    this.lastFrame = this.clock();
    const frame = JSON.parse(text) as Frame;
    if (frame.op === "batch") for (const item of frame.items) this.item(item);
    else if (frame.op === "hello") {
      this.hello = frame;
      this.offset = frame.now - this.lastFrame;
    } else if (frame.op === "heartbeat") this.heartbeat = text;
    else if (frame.op === "error" && frame.topic !== undefined && this.topics.has(frame.topic)) this.refused.add(frame.topic);
    for (const [port, tab] of this.tabs) if (tab.subscribed) port.postMessage({ text });
  }

  private item(item: Item): void {
    if (item.op === "snapshot" || item.op === "rows") this.asked.delete(item.op === "rows" ? item.topic : item.channel);
    if (item.op === "snapshot") this.lights.snapshot(item);
    else if (item.op === "rows") {
      if (this.topics.has(item.topic)) this.rows.snapshot(item);
    }
    else if (item.op === "delta") {
      if (!this.lights.delta(item)) this.ask({ op: "resync", channel: item.channel }, item.channel);
    } else if (item.op === "change") {
      if (this.topics.has(item.topic) && !this.rows.change(item)) this.ask({ op: "resync", topic: item.topic }, item.topic);
    } else {
      if (item.channel !== undefined) this.lights.drop(item.channel);
      if (item.topic !== undefined) {
        this.rows.drop(item.topic);
        this.refused.add(item.topic);
      }
    }
  }

  private ask(wish: Wish, name: string): void {
    if (this.asked.has(name)) return;
    this.asked.add(name);
    this.say(wish);
  }

  /** The socket ended: so it does for every tab, and each comes again by itself. */
  private lose(code: number): void {
    const ports = [...this.tabs.keys()];
    this.tabs.clear();
    this.forget();
    for (const port of ports) port.postMessage({ close: code });
  }

  private forget(): void {
    const socket = this.socket;
    this.socket = null;
    this.isOpen = this.subscribed = false;
    this.hello = null;
    this.heartbeat = "";
    this.topics = new Set();
    this.asked.clear();
    this.refused.clear();
    this.lights.clear();
    this.rows.clear();
    socket?.close();
  }

  private say(wish: Wish): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(wish));
  }

  private give(port: Port, frame: Frame): void {
    port.postMessage({ text: JSON.stringify(frame) });
  }

  private giveItems(port: Port, items: (Item | null)[]): void {
    const known = items.filter((item) => item !== null);
    if (known.length > 0) this.give(port, { op: "batch", now: this.clock() + this.offset, age: null, items: known });
  }

  private picture(name: string): Snapshot | null {
    const channel = this.lights.channels.get(name);
    return channel ? snapshotOf(channel) : null;
  }
}

/** The frame that brings another store to the same state. */
export function snapshotOf(channel: Channel): Snapshot {
  const numbers = (column: Float64Array | Float32Array) => Array.from(column, (value) => (Number.isNaN(value) ? null : value));
  return {
    op: "snapshot", channel: channel.name, seq: channel.seq, kind: channel.kind,
    id: Array.from(channel.id), lon: Array.from(channel.lon), lat: Array.from(channel.lat),
    at: numbers(channel.at), values: Object.fromEntries([...channel.values].map(([point, column]) => [point, numbers(column)])),
    flags: Array.from(channel.flags),
  };
}
