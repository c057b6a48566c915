/** Keeps one WebSocket to the server: subscribes, checks sequence, asks anew, and says when it is not live. */
import { type Batch, type Frame, type Item, type LiveEvent, closeCode } from "./protocol";
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

interface Options {
  open?: (url: string) => WebSocket;
  clock?: () => number;
  onUnauthorised?: () => void;
}

export class LiveConnection {
  status: LiveStatus = { live: false, lag: null, since: null, phase: "connecting" };
  /** Server time minus client time, in ms. */
  offset = 0;
  private socket: WebSocket | null = null;
  private lastFrame = 0;
  private serverLive = false;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private cleanup: ReturnType<typeof setTimeout> | undefined;
  private received = new Set<string>();
  private readonly asked = new Set<string>();
  private readonly statusListeners = new Set<() => void>();
  private readonly eventListeners = new Set<(event: LiveEvent) => void>();
  private readonly open: (url: string) => WebSocket;
  private readonly clock: () => number;
  private readonly onUnauthorised: () => void;

  constructor(
    private readonly url: () => string,
    private readonly store: LightStore,
    options: Options = {},
  ) {
    this.open = options.open ?? ((address) => new WebSocket(address));
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

  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => void this.eventListeners.delete(listener);
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
    socket?.close();
    this.set({ live: false, lag: null, since: null, phase: "closed" });
  }

  private connect(): void {
    const socket = this.open(this.url());
    this.socket = socket;
    this.lastFrame = this.clock();
    this.received = new Set();
    this.asked.clear();
    socket.onopen = () => socket.send(JSON.stringify({ op: "subscribe", channels: null }));
    socket.onmessage = (message: MessageEvent<string>) => {
      if (this.socket === socket) this.frame(JSON.parse(message.data) as Frame);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code);
    };
  }

  private closed(code: number): void {
    this.socket = null;
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
        if (!this.store.delta(item) && !this.asked.has(item.channel)) {
          this.asked.add(item.channel);
          this.socket?.send(JSON.stringify({ op: "resync", channel: item.channel }));
        }
        return;
      case "event":
        for (const listener of this.eventListeners) listener(item);
    }
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
