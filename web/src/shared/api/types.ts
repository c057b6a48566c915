/** What the server says, as the rest of the screens know it. */
export type Language = "fr" | "en";

export interface User {
  id: string;
  username: string;
  display_name: string;
  language: string;
  must_change_password: boolean;
}
export interface Grant {
  role: string;
  municipality: string;
  trade: string;
}
export interface Session {
  user: User;
  grants: Grant[];
  permissions: string[];
  csrf: string;
}
export type LonLat = [number, number];
export type Bbox = [number, number, number, number];

export interface Municipality {
  insee: string;
  name: string;
  population: number;
  centroid: LonLat;
}
export interface Territory {
  code: string;
  name: string;
  languages: string[];
  time_zone: string;
  center: LonLat;
  bbox: Bbox;
  synthetic: boolean;
  attribution: string;
  municipalities: Municipality[];
}
export interface SearchItem {
  type: "asset" | "street" | "municipality";
  id: string | number;
  label: string;
  detail: string;
  point: LonLat;
  bbox: Bbox | null;
}
export interface StateValue {
  value: number | null;
  at: string | null;
  unit: string;
  stale: boolean;
}
export interface AssetRef {
  id: number;
  name: string;
  kind: string;
}
export interface Asset {
  id: number;
  token: string;
  kind: string;
  trade: string;
  name: string;
  source_id: string | null;
  municipality: string;
  street: string | null;
  point: LonLat;
  lifecycle: Record<string, string | null>;
  attributes: Record<string, unknown>;
  topology: { parent: AssetRef | null; ancestors: AssetRef[]; children_count: number };
  gateway: { token: string; online: boolean; last_seen: string | null } | null;
  state: Record<string, StateValue>;
  desired: Record<string, number> | null;
  version: number;
}
export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
}
export interface History {
  metric: string;
  unit: string;
  resolution: string;
  t: number[];
  v: (number | null)[];
}
export interface Change {
  object_type: string;
  object_id: string;
  before: unknown;
  after: unknown;
}
export interface JournalEntry {
  id: string;
  position: number | null;
  act: string;
  actor: { id: string; name: string; role: string };
  occurred: string;
  recorded: string;
  reason: string | null;
  request_id: string | null;
  params: Record<string, unknown>;
  changes_count: number;
  changes: Change[];
}
export const commandStates = [
  "requested", "sent", "delivered", "confirmed", "refused", "failed", "timed_out", "cancelled", "superseded",
] as const;
export type CommandState = (typeof commandStates)[number];
export type CommandCounts = Partial<Record<CommandState, number>>;

export interface Command {
  id: string;
  verb: string;
  params: Record<string, number>;
  requested_by: { id: string; name: string } | string;
  requested_at: string;
  expires_at: string;
  reason: string;
  total: number;
  counts: CommandCounts;
  ended_at: string | null;
}
export interface Problem {
  code: string;
  params: Record<string, unknown>;
}
export interface CommandTarget {
  asset: { id: number; name: string; token: string };
  state: CommandState;
  sent_at: string | null;
  delivered_at: string | null;
  ended_at: string | null;
  error: Problem | null;
  late: boolean;
}
export interface QuarantineItem {
  id: string | number;
  received: string;
  source: string | null;
  topic: string;
  code: string;
  params: Record<string, unknown>;
  payload: string;
  size: number;
  asset: number | { id: number; name: string } | null;
}
export interface Gateway {
  token: string;
  name: string;
  kind: string;
  devices: number;
  online: boolean;
  last_seen: string | null;
  messages: number;
  quarantined: number;
  refused: number;
  revoked: boolean;
}
export interface Component {
  name: string;
  role: string;
  status: "ok" | "degraded" | "down";
  detail_code: string | null;
  params: Record<string, unknown>;
  since: string | null;
  lag_s?: number | null;
}
export interface System {
  status: "ok" | "degraded" | "down";
  components: Component[];
  admission: { open: boolean; reason: string | null; stream_bytes: number; stream_limit: number };
  versions: Record<string, string>;
  disk: { free_bytes?: number; total_bytes?: number } | null;
}
export interface MetricSpec {
  name: string;
  unit: string;
  min: number;
  max: number;
  kind: "number" | "flag";
  promise_s: number;
}
export interface KindSpec {
  name: string;
  trade: string;
  metrics: MetricSpec[];
  commands: { verb: string; params: { name: string; unit: string; min: number; max: number }[] }[];
}
export interface UserRow extends User {
  active?: boolean;
  grants: Grant[];
  created?: string | null;
  last_login?: string | null;
}
export interface TokenRow {
  id: string;
  name: string;
  created?: string | null;
  expires?: string | null;
  last_used?: string | null;
  permissions?: string[];
  token?: string;
}
