import { api, ok } from "../../shared/api/client";

export const getSession = () => ok(api.GET("/api/v1/session"));
export const login = (username: string, password: string) => ok(api.POST("/api/v1/session", { body: { username, password } }));
export const logout = () => ok(api.DELETE("/api/v1/session"));
export const changePassword = (current: string, next: string) =>
  ok(api.POST("/api/v1/session/password", { body: { current, new: next } }));
