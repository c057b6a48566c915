/** Keeps one WebSocket to the server: subscribes, checks sequence, asks anew, and says when it is not live. */
import { type Batch, type Frame, type Item, type Wish, closeCode } from "./protocol";
import type { RowStore } from "./rows";
import type { LightStore } from "./store";

export interface LiveStatus {
  live: boolean;
  /** Age in seconds of the newest committed evidence, as the server states it. */
  lag: number | null;
  /** Client time (ms) at which live was lost; null while live or not yet connected. */
  since: number | null;
  phase: "connecting" | "open" | "closed";
}

const silence = 3_000;
const giveUp = 8_000;
const settle = 10_000;
const retryMin = 250;
const retryMax = 2_000;
/** A topic left for a moment (another page, and back) is not asked anew. */
const linger = 5_000;

/** What is used of a WebSocket: see SharedSocket for another. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

interface Options {
  open?: (url: string) => Socket;
  clock?: () => number;
  onUnauthorised?: () => void;
}

export class LiveConnection {
  status: LiveStatus = { live: false, lag: null, since: null, phase: "connecting" };
  /** Server time minus client time, in ms. */
  offset = 0;
  private socket: Socket | null = null;
  private isOpen = false;
  private lastFrame = 0;
  private serverLive = false;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private cleanup: ReturnType<typeof setTimeout> | undefined;
  private received = new Set<string>();
  private readonly asked = new Set<string>();
  private readonly statusListeners = new Set<() => void>();
  private readonly followers = new Map<string, number>();
  private readonly open: (url: string) => Socket;
  private readonly clock: () => number;
  private readonly onUnauthorised: () => void;

  constructor(
    private readonly url: () => string,
    private readonly store: LightStore,
    private readonly rows: RowStore,
    options: Options = {},
  ) {
    this.open = options.open ?? ((address) => new WebSocket(address) as Socket);
    this.clock = options.clock ?? Date.now;
    this.onUnauthorised = options.onUnauthorised ?? (() => undefined);
  }

  /** Server time in ms, as well as the client can know it. */
  now(): number {
    return this.clock() + this.offset;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.statusListeners.add(listener);
    return () => void this.statusListeners.delete(listener);
  };

  /** Keep a topic of rows up to date until the answer is called. */
  follow(topic: string): () => void {
    const count = this.followers.get(topic) ?? 0;
    this.followers.set(topic, count + 1);
    if (count === 0 && !this.rows.get(topic).ready) this.tellTopics();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.followers.set(topic, (this.followers.get(topic) ?? 1) - 1);
      setTimeout(() => this.leave(topic), linger);
    };
  }

  private leave(topic: string): void {
    if (this.followers.get(topic) !== 0) return;
    this.followers.delete(topic);
    this.rows.drop(topic);
    this.tellTopics();
  }

  private tellTopics(): void {
    if (this.isOpen) this.say({ op: "follow", topics: [...this.followers.keys()] });
  }

  private say(wish: Wish): void {
    this.socket?.send(JSON.stringify(wish));
  }

  start(): void {
    this.watch = setInterval(() => this.check(), 500);
    this.connect();
  }

  stop(): void {
    clearInterval(this.watch);
    clearTimeout(this.retry);
    clearTimeout(this.cleanup);
    const socket = this.socket;
    this.socket = null;
    this.isOpen = false;
    socket?.close();
    this.set({ live: false, lag: null, since: null, phase: "closed" });
  }

  private connect(): void {
    const socket = this.open(this.url());
    this.socket = socket;
    this.lastFrame = this.clock();
    this.received = new Set();
    this.asked.clear();
    this.isOpen = false;
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.isOpen = true;
      this.say({ op: "subscribe", channels: null });
      if (this.followers.size > 0) this.tellTopics();
    };
    socket.onmessage = (message) => {
      if (this.socket === socket) this.frame(JSON.parse(message.data) as Frame);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code);
    };
  }

  private closed(code: number): void {
    this.socket = null;
    this.isOpen = false;
    this.serverLive = false;
    clearTimeout(this.cleanup);
    this.lost("connecting");
    if (code === closeCode.notLoggedIn || code === closeCode.forbidden) this.onUnauthorised();
    const ceiling = Math.min(retryMax, retryMin * 2 ** this.failures++);
    this.retry = setTimeout(() => this.connect(), ceiling * (0.5 + Math.random() / 2));
  }

  private check(): void {
    const quiet = this.clock() - this.lastFrame;
    if (quiet > silence && this.status.live) this.lost("connecting");
    if (quiet > giveUp && this.socket) {
      const socket = this.socket;
      this.closed(0);
      socket.close();
    }
  }

  private frame(frame: Frame): void {
    this.lastFrame = this.clock();
    switch (frame.op) {
      case "hello":
        this.offset = frame.now - this.lastFrame;
        this.failures = 0;
        // A snapshot may be of a picture that stands still: only a heartbeat says it is live.
        this.serverLive = false;
        clearTimeout(this.cleanup);
        this.cleanup = setTimeout(() => this.store.keepOnly(this.received), settle);
        return;
      case "heartbeat":
        this.offset = frame.now - this.lastFrame;
        this.serverLive = frame.live;
        if (frame.live) this.alive(frame.lag_s);
        else this.lost("open", frame.lag_s);
        return;
      case "batch":
        this.batch(frame);
        return;
      case "error":
        if (frame.topic !== undefined) this.rows.drop(frame.topic);
        return;
      case "lagging":
        // Snapshots of everything are on their way.
        return;
      default:
        this.item(frame);
    }
  }

  private batch(batch: Batch): void {
    this.offset = batch.now - this.lastFrame;
    for (const item of batch.items) this.item(item);
    if (this.serverLive) this.alive(batch.age);
  }

  private item(item: Item): void {
    switch (item.op) {
      case "snapshot":
        this.received.add(item.channel);
        this.asked.delete(item.channel);
        this.store.snapshot(item);
        return;
      case "delta":
        // While an answer to a resync is under way, the gap stays; asking once is enough.
        if (!this.store.delta(item)) this.resync({ op: "resync", channel: item.channel }, item.channel);
        return;
      case "rows":
        this.asked.delete(item.topic);
        if (this.followers.has(item.topic)) this.rows.snapshot(item);
        return;
      case "change":
        if (this.followers.has(item.topic) && !this.rows.change(item)) {
          this.resync({ op: "resync", topic: item.topic }, item.topic);
        }
        return;
      case "drop":
        if (item.channel !== undefined) this.store.drop(item.channel);
        if (item.topic !== undefined) this.rows.drop(item.topic);
    }
  }

  private resync(wish: Wish, name: string): void {
    if (this.asked.has(name)) return;
    this.asked.add(name);
    this.say(wish);
  }

  private alive(lag: number | null): void {
    const same = this.status.live && this.status.lag === lag;
    if (!same) this.set({ live: true, lag, since: null, phase: "open" });
  }

  private lost(phase: LiveStatus["phase"], lag: number | null = null): void {
    this.set({ live: false, lag, since: this.status.since ?? this.clock(), phase });
  }

  private set(status: LiveStatus): void {
    this.status = status;
    for (const listener of this.statusListeners) listener();
  }
}
