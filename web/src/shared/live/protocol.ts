/** Frames of the live WebSocket, as the contract names them. */

export interface Hello {
  op: "hello";
  server: string;
  now: number;
  kinds: Record<string, string[]>;
}
interface Columns {
  id: number[];
  at: (number | null)[];
  /** The points that the kind draws, by name. */
  values: Record<string, (number | null)[]>;
  flags: number[];
}
export interface Snapshot extends Columns {
  op: "snapshot";
  channel: string;
  seq: number;
  kind: string;
  lon: number[];
  lat: number[];
  token?: string[];
}
export interface Delta extends Columns {
  op: "delta";
  /** Where it is now: of what moves. */
  lon?: number[];
  lat?: number[];
  channel: string;
  seq: number;
  prev: number;
}
/** The open rows of a topic; none when there are too many to mirror (`complete` is false). */
export interface TopicRows {
  op: "rows";
  topic: string;
  seq: number;
  complete: boolean;
  rows: [id: string, body: object][];
}
/** What changed of a topic. `hint`: rows that changed and are not mirrored, or look the same; null: any of them. */
export interface TopicChange {
  op: "change";
  topic: string;
  seq: number;
  prev: number;
  put: [id: string, body: object][];
  drop: string[];
  hint: string[] | null;
}
/** A channel or topic that may no longer be seen. */
export interface Drop {
  op: "drop";
  channel?: string;
  topic?: string;
}
export type Item = Snapshot | Delta | TopicRows | TopicChange | Drop;
export interface Batch {
  op: "batch";
  now: number;
  age: number | null;
  items: Item[];
}
export interface Heartbeat {
  op: "heartbeat";
  now: number;
  live: boolean;
  lag_s: number | null;
}
export interface Refusal {
  op: "error";
  code: string;
  channel?: string;
  topic?: string;
}
/** Frames were left out because they were not taken fast enough; snapshots of everything follow. */
export interface Lagging {
  op: "lagging";
}
export type Frame = Hello | Item | Batch | Heartbeat | Refusal | Lagging;

/** What a client says. */
export type Wish =
  | { op: "subscribe"; channels: string[] | null }
  | { op: "follow"; topics: string[] }
  | { op: "resync"; channel: string }
  | { op: "resync"; topic: string };

export const flag = { lamp: 1, supply: 2, fault: 4, unexpected: 8, pending: 16, retired: 32 } as const;
export const closeCode = { notLoggedIn: 4401, forbidden: 4403, noSubscribe: 4408 } as const;
