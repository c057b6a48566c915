import { api, ok } from "../../shared/api/client";
import type { PasskeyAnswer } from "../../shared/api/types";

export const getSession = () => ok(api.GET("/api/v1/session"));
export const login = (username: string, password: string) => ok(api.POST("/api/v1/session", { body: { username, password } }));
export const logout = () => ok(api.DELETE("/api/v1/session"));
export const changePassword = (current: string, next: string) =>
  ok(api.POST("/api/v1/session/password", { body: { current, new: next } }));

export const getWays = () => ok(api.GET("/api/v1/session/ways"));
export const passkeyChallenge = () => ok(api.POST("/api/v1/session/passkey/options"));
export const loginWithPasskey = (body: PasskeyAnswer) => ok(api.POST("/api/v1/session/passkey", { body }));
export const confirmWithPassword = (password: string) => ok(api.POST("/api/v1/session/confirm", { body: { password } }));
export const confirmWithPasskey = (body: PasskeyAnswer) => ok(api.POST("/api/v1/session/confirm/passkey", { body }));
export const confirmAtProvider = (provider: string) =>
  ok(api.POST("/api/v1/session/confirm/oidc/{provider}", { params: { path: { provider } } }));
/** Not a call: the browser goes there. */
export const loginAtProvider = (provider: string) => `/api/v1/session/oidc/${encodeURIComponent(provider)}`;

export const listPasskeys = async () => (await ok(api.GET("/api/v1/passkeys"))).items;
export const newPasskeyOptions = () => ok(api.POST("/api/v1/passkeys/options"));
export const addPasskey = (name: string, credential: PasskeyAnswer) => ok(api.POST("/api/v1/passkeys", { body: { name, credential } }));
export const removePasskey = (passkey: string) => ok(api.DELETE("/api/v1/passkeys/{passkey}", { params: { path: { passkey } } }));
export const listSessions = async () => (await ok(api.GET("/api/v1/sessions"))).items;
export const endSession = (session: string) => ok(api.DELETE("/api/v1/sessions/{session}", { params: { path: { session } } }));
export const endOtherSessions = () => ok(api.POST("/api/v1/sessions/end-others"));
export const listIdentities = async () => (await ok(api.GET("/api/v1/session/identities"))).items;
export const linkIdentity = (provider: string) => ok(api.POST("/api/v1/session/identities/{provider}", { params: { path: { provider } } }));
export const unlinkIdentity = (identity: string) =>
  ok(api.DELETE("/api/v1/session/identities/{identity}", { params: { path: { identity } } }));

export const listApprovals = async () => (await ok(api.GET("/api/v1/approvals"))).items;
export const decideApproval = (approval: string, decision: "approve" | "refuse" | "withdraw") =>
  ok(api.POST(`/api/v1/approvals/{approval}/${decision}`, { params: { path: { approval } } }));
