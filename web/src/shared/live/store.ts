/** The equipment's live state, in typed arrays outside React: a snapshot per channel and the deltas since. */
import { type Condition, conditionOf } from "./condition";
import { type Delta, type Snapshot, flag } from "./protocol";

export class Channel {
  readonly kind: string;
  readonly size: number;
  readonly id: Int32Array;
  readonly lon: Float64Array;
  readonly lat: Float64Array;
  /** Seconds since 1970 of the latest evidence; NaN where there is none. */
  readonly at: Float64Array;
  /** The points that its kind draws, by name; NaN where never told. */
  readonly values = new Map<string, Float32Array>();
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
    this.flags = Uint16Array.from(snapshot.flags);
    for (let i = 0; i < size; i++) {
      this.slot.set(this.id[i] ?? 0, i);
      this.at[i] = snapshot.at[i] ?? NaN;
    }
    for (const [point, values] of Object.entries(snapshot.values)) {
      this.values.set(point, Float32Array.from(values, (value) => value ?? NaN));
    }
  }

  /** A point's value of a row; NaN where it was never told or the kind has no such point. */
  value(point: string, row: number): number {
    return this.values.get(point)?.[row] ?? NaN;
  }

  /** Street lights: their luminance is drawn, and some counters are of them alone. */
  get lamps(): boolean {
    return this.values.has("dimmingLevel");
  }

  /** False when the delta names a light this channel does not know: only a new snapshot can tell. */
  apply(delta: Delta): boolean {
    const { id, at, flags, lon, lat } = delta;
    const columns = Object.entries(delta.values).map(([point, values]) => [this.values.get(point), values] as const);
    for (let k = 0; k < id.length; k++) {
      const i = this.slot.get(id[k] ?? 0);
      if (i === undefined) return false;
      this.at[i] = at[k] ?? NaN;
      for (const [column, values] of columns) if (column) column[i] = values[k] ?? NaN;
      this.flags[i] = flags[k] ?? 0;
      if (lon && lat) {
        this.lon[i] = lon[k] ?? this.lon[i] ?? 0;
        this.lat[i] = lat[k] ?? this.lat[i] ?? 0;
      }
    }
    this.seq = delta.seq;
    this.version++;
    return true;
  }
}

export interface Light {
  id: number;
  channel: string;
  kind: string;
  lon: number;
  lat: number;
  at: number;
  /** The points that its kind draws; NaN where never told. */
  values: Readonly<Record<string, number>>;
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

/** Of one kind. */
export interface Tally {
  total: number;
  abnormal: number;
  silent: number;
}

/** The condition that a row counts under. What another kind marks is no failed lamp: its own words say what it is. */
export function countedAs(channel: Channel, row: number, now: number, promise: number | null): Condition {
  const condition = conditionOf(channel.flags[row] ?? 0, channel.at[row] ?? NaN, now, promise);
  return !channel.lamps && (condition === "lamp" || condition === "supply") ? "fault" : condition;
}

export class LightStore {
  readonly channels = new Map<string, Channel>();
  /** Updates applied since the start, for the tests' handle. */
  updates = 0;
  private promises: ReadonlyMap<string, number | null> = new Map();
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
    for (const channel of this.lamps()) total += channel.size;
    return total;
  }

  get(id: number): Light | null {
    for (const channel of this.channels.values()) {
      const i = channel.slot.get(id);
      if (i === undefined) continue;
      return {
        id,
        channel: channel.name,
        kind: channel.kind,
        lon: channel.lon[i] ?? 0,
        lat: channel.lat[i] ?? 0,
        at: channel.at[i] ?? NaN,
        values: Object.fromEntries([...channel.values].map(([point, column]) => [point, column[i] ?? NaN])),
        level: channel.value("dimmingLevel", i),
        power: channel.value("activePower", i),
        flags: channel.flags[i] ?? 0,
      };
    }
    return null;
  }

  /** The channels of street lights. */
  *lamps(): Generator<Channel> {
    for (const channel of this.channels.values()) if (channel.lamps) yield channel;
  }

  /** Within how many seconds a kind promises to report; null: it tells changes only, and is never silent. */
  promiseOf(kind: string, otherwise: number): number | null {
    const known = this.promises.get(kind);
    return known === undefined ? otherwise : known;
  }

  setPromises(promises: Iterable<readonly [kind: string, seconds: number | null]>): void {
    this.promises = new Map(promises);
    this.tell(null);
  }

  /** What there is of each kind, retired equipment left out. */
  tally(now: number, promise: number): Map<string, Tally> {
    const found = new Map<string, Tally>();
    for (const channel of this.channels.values()) {
      const tally = found.get(channel.kind) ?? { total: 0, abnormal: 0, silent: 0 };
      const kept = this.promiseOf(channel.kind, promise);
      for (let i = 0; i < channel.size; i++) {
        const condition = conditionOf(channel.flags[i] ?? 0, channel.at[i] ?? NaN, now, kept);
        if (condition === "retired") continue;
        tally.total++;
        if (condition === "silent") tally.silent++;
        else if (condition !== "normal") tally.abnormal++;
      }
      found.set(channel.kind, tally);
    }
    return found;
  }

  ids(): number[] {
    return [...this.channels.values()].flatMap((channel) => [...channel.id]);
  }

  /** The equipment that `count` counts under a condition. */
  counted(condition: Condition, now: number, promise: number): number[] {
    const ids: number[] = [];
    for (const channel of this.channels.values()) {
      const kept = this.promiseOf(channel.kind, promise);
      for (let i = 0; i < channel.size; i++) {
        if (countedAs(channel, i, now, kept) === condition) ids.push(channel.id[i] ?? 0);
      }
    }
    return ids;
  }

  count(now: number, promise: number): Counters {
    const counters: Counters = {
      total: 0, reported: 0, normal: 0, silent: 0, supply: 0, lamp: 0, fault: 0, unexpected: 0, pending: 0,
    };
    for (const channel of this.channels.values()) {
      const kept = this.promiseOf(channel.kind, promise);
      for (let i = 0; i < channel.size; i++) {
        const condition = countedAs(channel, i, now, kept);
        if (condition === "retired") continue;
        counters.total++;
        counters[condition]++;
        if (condition !== "silent") counters.reported++;
        if ((channel.flags[i] ?? 0) & flag.pending) counters.pending++;
      }
    }
    return counters;
  }
}
