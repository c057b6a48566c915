/** What the server says, by the names that the screens use; the shapes are generated from openapi/. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Language = Schemas["NewUser"]["language"];
export type LonLat = [number, number];
export type Bbox = Schemas["BBox"];

export type Grant = Schemas["Grant"];
export type Session = Schemas["Session"];
export type Ways = Schemas["Ways"];
export type OwnSession = Schemas["OwnSession"];
export type Passkey = Schemas["Passkey"];
/** What the browser's passkey answered: a JSON of WebAuthn. */
export type PasskeyAnswer = Schemas["Credential"];
export type Identity = Schemas["Identity"];
export type RoleRow = Schemas["RoleView"];
export type RoleInput = Schemas["RoleInput"];
export type RoleCatalogue = Schemas["RolesShown"];
export type Approval = Schemas["Approval"];
export type UserRow = Schemas["User"];
export type UserPatch = Schemas["UserPatch"];
export type NewUser = Schemas["NewUser"];
export type CreatedUser = Schemas["CreatedUser"];
export type TokenRow = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type CreatedToken = Schemas["CreatedToken"];

export type Territory = Schemas["Territory"];
export type KindSpec = Schemas["KindView"];
export type MetricSpec = Schemas["MetricView"];
export type ParameterSpec = Schemas["ParameterView"];
export type CommandSpec = Schemas["CommandView"];
/** What the command bar shows so far: what lies on the map. */
export type SearchItem = Pick<Schemas["Found"], "id" | "label" | "detail" | "bbox"> & { type: "address" | "asset" | "street" | "municipality"; point: [number, number] };
export type Found = Schemas["Found"];
export type AssetRef = Schemas["AssetRef"];
export type Asset = Schemas["Asset"];
export type History = Omit<Schemas["Series"], "v"> & { v: (number | null)[] };

export interface Page<T> {
  items: T[];
  next?: string | null;
  /** Null when counting would take too long. */
  total?: number | null;
}

export type JournalEntry = Omit<Schemas["Entry"], "changes"> & { changes: Change[] };
export type Change = Schemas["Change"];
export type Parked = Schemas["Parked"];

export const commandStates = [
  "requested", "awaiting_approval", "sent", "delivered", "confirmed", "refused", "failed", "timed_out", "cancelled", "superseded",
] as const satisfies readonly CommandState[];
export type CommandState = Schemas["TargetState"]["state"];
export type CommandCounts = Partial<Record<CommandState, number>>;
export type Command = Omit<Schemas["Command"], "params"> & { params: Record<string, number> };
export type RequestCommand = Schemas["RequestCommand"];
/** The server has a time of its own for it. */
export type NewCommand = Omit<RequestCommand, "expires_in_s"> & { expires_in_s?: number };
export type CommandTarget = Schemas["TargetState"];

export type QuarantineItem = Schemas["Quarantined"];
export type Gateway = Schemas["Gateway"];
export type ComponentStatus = "ok" | "standby" | "starting" | "degraded" | "down";
export type Component = Schemas["SystemComponent"] & { status: ComponentStatus };
export type System = Omit<Schemas["SystemState"], "status" | "components"> & {
  status: "ok" | "degraded" | "down";
  components: Component[];
};
