/** Every call the screens make, by name. */
import { type Query, request } from "./http";
import type {
  Approval, Asset, Change, Command, CommandState, CommandTarget, CreatedToken, CreatedUser, Found, Gateway, History, Identity, JournalEntry,
  KindSpec, NewCommand, NewToken, NewUser, OwnSession, Page, Passkey, QuarantineItem, RoleCatalogue, RoleInput, RoleRow, SearchItem, Session,
  System, Territory, TokenRow, UserPatch, UserRow, Ways,
} from "./types";

const part = (value: string | number): string => encodeURIComponent(String(value));

export const getSession = () => request<Session>("/session");
export const login = (username: string, password: string) =>
  request<Session>("/session", { method: "POST", body: { username, password } });
export const logout = () => request<undefined>("/session", { method: "DELETE" });
export const changePassword = (current: string, next: string) =>
  request<Session>("/session/password", { method: "POST", body: { current, new: next } });

export const getWays = () => request<Ways>("/session/ways");
export const passkeyChallenge = () => request<{ public_key: object }>("/session/passkey/options", { method: "POST" });
export const loginWithPasskey = (credential: object) => request<Session>("/session/passkey", { method: "POST", body: credential });
export const confirmWithPassword = (password: string) => request<Session>("/session/confirm", { method: "POST", body: { password } });
export const confirmWithPasskey = (credential: object) => request<Session>("/session/confirm/passkey", { method: "POST", body: credential });
export const confirmAtProvider = (provider: string) => request<{ url: string }>(`/session/confirm/oidc/${part(provider)}`, { method: "POST" });
export const loginAtProvider = (provider: string) => `/api/v1/session/oidc/${part(provider)}`;

export const listPasskeys = async () => (await request<{ items: Passkey[] }>("/passkeys")).items;
export const newPasskeyOptions = () => request<{ public_key: object }>("/passkeys/options", { method: "POST" });
export const addPasskey = (name: string, credential: object) => request<Passkey>("/passkeys", { method: "POST", body: { name, credential } });
export const removePasskey = (id: string) => request<undefined>(`/passkeys/${part(id)}`, { method: "DELETE" });
export const listSessions = async () => (await request<{ items: OwnSession[] }>("/sessions")).items;
export const endSession = (id: string) => request<undefined>(`/sessions/${part(id)}`, { method: "DELETE" });
export const endOtherSessions = () => request<{ count: number }>("/sessions/end-others", { method: "POST" });
export const listIdentities = async () => (await request<{ items: Identity[] }>("/session/identities")).items;
export const linkIdentity = (provider: string) => request<{ url: string }>(`/session/identities/${part(provider)}`, { method: "POST" });
export const unlinkIdentity = (id: string) => request<undefined>(`/session/identities/${part(id)}`, { method: "DELETE" });
export const listApprovals = async () => (await request<{ items: Approval[] }>("/approvals")).items;
export const decideApproval = (id: string, decision: "approve" | "refuse" | "withdraw") =>
  request<Approval>(`/approvals/${part(id)}/${decision}`, { method: "POST" });

export const getRoles = () => request<RoleCatalogue>("/roles");
export const createRole = (name: string, role: RoleInput) => request<undefined>("/roles", { method: "POST", body: { name, ...role } });
export const editRole = (role: RoleRow, body: RoleInput) =>
  request<undefined>(`/roles/${part(role.name)}`, { method: "PUT", body, headers: { "If-Match": `"${role.version}"` } });
export const removeRole = (name: string) => request<undefined>(`/roles/${part(name)}`, { method: "DELETE" });

export const getTerritory = () => request<Territory>("/territory");
export const getKinds = async () => (await request<{ items: KindSpec[] }>("/kinds")).items;
const onMap = (item: Found | SearchItem): item is SearchItem => item.point !== null && ["asset", "street", "municipality"].includes(item.type);
export const search = async (q: string, signal: AbortSignal) => {
  const { items } = await request<{ items: Found[] }>("/search", { query: { q, limit: 12 }, signal });
  return { items: (items as (Found | SearchItem)[]).filter(onMap) };
};

export const getAsset = (id: number) => request<Asset>(`/assets/${part(id)}`);
export const listAssets = (query: { filter?: string; cursor?: string | null; limit?: number }) =>
  request<Page<Asset>>("/assets", { query });
export const getHistory = (id: number, query: { metric: string; from: string; to: string; points: number }) =>
  request<History>(`/assets/${part(id)}/history`, { query });
export const getAssetJournal = (id: number, cursor: string | null) =>
  request<Page<JournalEntry>>(`/assets/${part(id)}/journal`, { query: { cursor } });

/** The identities that a filter finds, through the export, in one answer. */
export async function findAssetIds(filter: string, signal?: AbortSignal): Promise<number[]> {
  const options = signal ? { query: { filter }, signal } : { query: { filter } };
  const found = await request<{ features: { id: number }[] }>("/assets.geojson", options);
  return found.features.map(({ id }) => id);
}

export const getJournal = (query: { filter?: string; act?: string | null; actor?: string | null; cursor?: string | null }) =>
  request<Page<JournalEntry>>("/journal", { query });
export const getJournalChanges = (id: string, cursor: string | null, limit?: number) =>
  request<Page<Change>>(`/journal/${part(id)}/changes`, { query: { cursor, limit } });

export const postCommand = (body: NewCommand, key: string) =>
  request<Command>("/commands", { method: "POST", body, headers: { "Idempotency-Key": key } });
export const listCommands = (cursor: string | null) => request<Page<Command>>("/commands", { query: { cursor } });
export const getCommand = (id: string) => request<Command>(`/commands/${part(id)}`);
export const getCommandTargets = (id: string, state: CommandState, cursor: string | null) =>
  request<Page<CommandTarget>>(`/commands/${part(id)}/targets`, { query: { state, cursor } });
export const cancelCommand = (id: string, reason: string) =>
  request<Command>(`/commands/${part(id)}/cancel`, { method: "POST", body: { reason } });

export const getQuarantine = (query: Query) => request<Page<QuarantineItem>>("/quarantine", { query });
export const getGateways = (cursor: string | null) => request<Page<Gateway>>("/gateways", { query: { cursor } });
export const getSystem = () => request<System>("/system");

export const listUsers = (cursor: string | null) => request<Page<UserRow>>("/users", { query: { cursor } });
export const createUser = (body: NewUser) =>
  request<CreatedUser>("/users", { method: "POST", body });
export const updateUser = (user: UserRow, body: UserPatch) =>
  request<UserRow>(`/users/${part(user.id)}`, { method: "PATCH", body, headers: { "If-Match": `"${user.version}"` } });
export const resetPassword = (id: string) =>
  request<{ password: string }>(`/users/${part(id)}/reset-password`, { method: "POST" });
export const listTokens = (cursor: string | null) => request<Page<TokenRow>>("/tokens", { query: { cursor } });
export const createToken = (body: NewToken) =>
  request<CreatedToken>("/tokens", { method: "POST", body });
export const deleteToken = (id: string) => request<undefined>(`/tokens/${part(id)}`, { method: "DELETE" });
