import { api, ifMatch, ok } from "../../shared/api/client";
import type { NewToken, NewUser, RoleInput, RoleRow, UserPatch, UserRow } from "../../shared/api/types";

export const getRoles = () => ok(api.GET("/api/v1/roles"));
export const createRole = (name: string, role: RoleInput) => ok(api.POST("/api/v1/roles", { body: { name, ...role } }));
export const editRole = ({ name, version }: RoleRow, body: RoleInput) =>
  ok(api.PUT("/api/v1/roles/{name}", { params: { path: { name }, header: ifMatch(version) }, body }));
export const removeRole = (name: string) => ok(api.DELETE("/api/v1/roles/{name}", { params: { path: { name } } }));

export const listUsers = (cursor: string | null) => ok(api.GET("/api/v1/users", { params: { query: { cursor } } }));
export const createUser = (body: NewUser) => ok(api.POST("/api/v1/users", { body }));
export const updateUser = ({ id, version }: UserRow, body: UserPatch) =>
  ok(api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: id }, header: ifMatch(version) }, body }));
export const resetPassword = (user_id: string) => ok(api.POST("/api/v1/users/{user_id}/reset-password", { params: { path: { user_id } } }));
export const listTokens = (cursor: string | null) => ok(api.GET("/api/v1/tokens", { params: { query: { cursor } } }));
export const createToken = (body: NewToken) => ok(api.POST("/api/v1/tokens", { body }));
export const deleteToken = (token_id: string) => ok(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id } } }));
