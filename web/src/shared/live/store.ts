/** The lights' live state, in typed arrays outside React: a snapshot per channel and the deltas since. */
import { conditionOf } from "./condition";
import { type Delta, type Snapshot, flag } from "./protocol";

export class Channel {
  readonly kind: string;
  readonly size: number;
  readonly id: Int32Array;
  readonly lon: Float64Array;
  readonly lat: Float64Array;
  /** Seconds since 1970 of the latest evidence; NaN where there is none. */
  readonly at: Float64Array;
  readonly level: Float32Array;
  readonly power: Float32Array;
  readonly flags: Uint16Array;
  readonly slot = new Map<number, number>();
  seq: number;
  /** Rises with every change; readers compare it to know whether to look again. */
  version = 0;

  constructor(readonly name: string, snapshot: Snapshot) {
    const size = snapshot.id.length;
    this.kind = snapshot.kind;
    this.size = size;
    this.seq = snapshot.seq;
    this.id = Int32Array.from(snapshot.id);
    this.lon = Float64Array.from(snapshot.lon);
    this.lat = Float64Array.from(snapshot.lat);
    this.at = new Float64Array(size);
    this.level = new Float32Array(size);
    this.power = new Float32Array(size);
    this.flags = Uint16Array.from(snapshot.flags);
    for (let i = 0; i < size; i++) {
      this.slot.set(this.id[i] ?? 0, i);
      this.at[i] = snapshot.at[i] ?? NaN;
      this.level[i] = snapshot.dimmingLevel[i] ?? NaN;
      this.power[i] = snapshot.activePower[i] ?? NaN;
    }
  }

  /** False when the delta names a light this channel does not know: only a new snapshot can tell. */
  apply(delta: Delta): boolean {
    const { id, at, dimmingLevel, activePower, flags } = delta;
    for (let k = 0; k < id.length; k++) {
      const i = this.slot.get(id[k] ?? 0);
      if (i === undefined) return false;
      this.at[i] = at[k] ?? NaN;
      this.level[i] = dimmingLevel[k] ?? NaN;
      this.power[i] = activePower[k] ?? NaN;
      this.flags[i] = flags[k] ?? 0;
    }
    this.seq = delta.seq;
    this.version++;
    return true;
  }
}

export interface Light {
  id: number;
  channel: string;
  lon: number;
  lat: number;
  at: number;
  level: number;
  power: number;
  flags: number;
}

export interface Counters {
  total: number;
  reported: number;
  normal: number;
  silent: number;
  supply: number;
  lamp: number;
  fault: number;
  unexpected: number;
  pending: number;
}

export class LightStore {
  readonly channels = new Map<string, Channel>();
  /** Updates applied since the start, for the tests' handle. */
  updates = 0;
  private readonly listeners = new Set<(changed: Channel | null) => void>();

  /** Told of each changed channel; null when the set of channels or lights changed. */
  subscribe(listener: (changed: Channel | null) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private tell(changed: Channel | null): void {
    for (const listener of this.listeners) listener(changed);
  }

  snapshot(snapshot: Snapshot): void {
    this.channels.set(snapshot.channel, new Channel(snapshot.channel, snapshot));
    this.updates += snapshot.id.length;
    this.tell(null);
  }

  /** False when the channel has to be asked anew: a step is missing or a light unknown. */
  delta(delta: Delta): boolean {
    const channel = this.channels.get(delta.channel);
    if (!channel) return false;
    if (delta.seq <= channel.seq) return true;
    if (delta.prev !== channel.seq || !channel.apply(delta)) return false;
    this.updates += delta.id.length;
    this.tell(channel);
    return true;
  }

  keepOnly(names: ReadonlySet<string>): void {
    let dropped = false;
    for (const name of [...this.channels.keys()]) {
      if (!names.has(name)) dropped = this.channels.delete(name) || dropped;
    }
    if (dropped) this.tell(null);
  }

  /** A channel that may no longer be seen. */
  drop(name: string): void {
    if (this.channels.delete(name)) this.tell(null);
  }

  clear(): void {
    this.channels.clear();
    this.tell(null);
  }

  get total(): number {
    let total = 0;
    for (const channel of this.channels.values()) total += channel.size;
    return total;
  }

  get(id: number): Light | null {
    for (const channel of this.channels.values()) {
      const i = channel.slot.get(id);
      if (i === undefined) continue;
      return {
        id,
        channel: channel.name,
        lon: channel.lon[i] ?? 0,
        lat: channel.lat[i] ?? 0,
        at: channel.at[i] ?? NaN,
        level: channel.level[i] ?? NaN,
        power: channel.power[i] ?? NaN,
        flags: channel.flags[i] ?? 0,
      };
    }
    return null;
  }

  /** The lights of which this holds. */
  where(holds: (flags: number, at: number) => boolean): number[] {
    const ids: number[] = [];
    for (const channel of this.channels.values()) {
      for (let i = 0; i < channel.size; i++) {
        if (holds(channel.flags[i] ?? 0, channel.at[i] ?? NaN)) ids.push(channel.id[i] ?? 0);
      }
    }
    return ids;
  }

  count(now: number, promise: number): Counters {
    const counters: Counters = {
      total: 0, reported: 0, normal: 0, silent: 0, supply: 0, lamp: 0, fault: 0, unexpected: 0, pending: 0,
    };
    for (const channel of this.channels.values()) {
      for (let i = 0; i < channel.size; i++) {
        const flags = channel.flags[i] ?? 0;
        const condition = conditionOf(flags, channel.at[i] ?? NaN, now, promise);
        if (condition === "retired") continue;
        counters.total++;
        counters[condition]++;
        if (condition !== "silent") counters.reported++;
        if (flags & flag.pending) counters.pending++;
      }
    }
    return counters;
  }
}
