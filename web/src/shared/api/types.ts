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
  source: string;
  source_id: string;
  municipality: string;
  street: string;
  point: LonLat;
  lifecycle: Record<string, string | null>;
  attributes: Record<string, unknown>;
  /** Ancestors are nearest first; the feeder is the name of the circuit. */
  topology: { parent: AssetRef | null; ancestors: AssetRef[]; children_count: number; feeder: string };
  gateway: { token: string; online: boolean; last_seen: string | null } | null;
  state: Record<string, StateValue>;
  desired: Record<string, number> | null;
  version: number;
}
export interface Page<T> {
  items: T[];
  next: string | null;
  /** Null when counting would take too long. */
  total?: number | null;
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
  /** The name of a person is gone once erased. */
  actor: { id: string | null; name: string | null; kind: string; role: string };
  occurred: string;
  recorded: string;
  reason: string | null;
  request_id: string | null;
  params: Record<string, unknown>;
  personal: Record<string, string>;
  changes_count: number;
  changes: Change[];
}
export const commandStates = [
  "requested", "awaiting_approval", "sent", "delivered", "confirmed", "refused", "failed", "timed_out", "cancelled", "superseded",
] as const;
export type CommandState = (typeof commandStates)[number];
export type CommandCounts = Partial<Record<CommandState, number>>;

export interface Command {
  id: string;
  verb: string;
  params: Record<string, number>;
  requested_by: { id: string | null; name: string | null };
  requested_at: string;
  expires_at: string;
  reason: string | null;
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
  id: number;
  received: string;
  source: string;
  topic: string;
  code: string;
  params: Record<string, unknown>;
  payload: string;
  size: number;
  asset: number | null;
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
  revoked: string | null;
}
export type ComponentStatus = "ok" | "standby" | "starting" | "degraded" | "down";
export interface Component {
  name: string;
  role: string;
  instance: string;
  status: ComponentStatus;
  code: string;
  params: Record<string, unknown>;
  since: string;
}
export interface System {
  status: "ok" | "degraded" | "down";
  components: Component[];
  admission: { open: boolean; code: string; stream_bytes: number; stream_limit: number };
  versions: Record<string, string>;
  disk_free_bytes: number;
}
export interface MetricSpec {
  name: string;
  unit: string;
  min: number;
  max: number;
  kind: "number" | "flag";
  /** Null where only changes are told: such a value does not grow old. */
  promise_s: number | null;
}
export interface KindSpec {
  name: string;
  trade: string;
  metrics: MetricSpec[];
  commands: { verb: string; params: { name: string; unit: string; min: number; max: number }[] }[];
}
export interface UserRow extends User {
  active: boolean;
  grants: Grant[];
  created: string;
  last_login: string | null;
  version: number;
}
export interface TokenRow {
  id: string;
  name: string;
  owner: string;
  permissions: string[];
  created: string;
  expires: string | null;
  last_used: string | null;
  revoked: string | null;
}
