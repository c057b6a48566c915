/** Frames of the live WebSocket, as the contract names them. */
import type { CommandCounts } from "../api/types";

export interface Hello {
  op: "hello";
  server: string;
  now: number;
  kinds: Record<string, string[]>;
}
interface Columns {
  id: number[];
  at: (number | null)[];
  dimmingLevel: (number | null)[];
  activePower: (number | null)[];
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
  channel: string;
  seq: number;
  prev: number;
}
export interface CommandEvent {
  op: "event";
  topic: "command";
  id: string;
  counts: CommandCounts;
  ended_at: string | null;
}
export interface SystemEvent {
  op: "event";
  topic: "system";
  status: "ok" | "degraded" | "down";
}
export type LiveEvent = CommandEvent | SystemEvent;
export type Item = Snapshot | Delta | LiveEvent;
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
}
export type Frame = Hello | Item | Batch | Heartbeat | Refusal;

export const flag = { lamp: 1, supply: 2, fault: 4, unexpected: 8, pending: 16, retired: 32 } as const;
export const closeCode = { notLoggedIn: 4401, forbidden: 4403, noSubscribe: 4408 } as const;
