import { api, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";

type Schemas = components["schemas"];
export type Team = Schemas["Team"];
export type DutyFunction = Schemas["Function"];
export type Rota = Schemas["RotaShown"];
const at = (function_id: string) => ({ path: { function_id } });

export const listTeams = () => ok(api.GET("/api/v1/duty/teams"));
export const listFunctions = () => ok(api.GET("/api/v1/duty/functions"));
export const listOnCall = () => ok(api.GET("/api/v1/duty/on-call", { params: { query: {} } }));
export const readRota = (function_id: string, from: Date, to: Date) =>
  ok(api.GET("/api/v1/duty/functions/{function_id}/rota", { params: { ...at(function_id), query: { from: from.toISOString(), to: to.toISOString() } } }));
export const listHandOvers = (function_id: string) => ok(api.GET("/api/v1/duty/functions/{function_id}/hand-overs", { params: { ...at(function_id), query: { limit: 10 } } }));
export const handOver = (body: Schemas["HandOver"]) => ok(api.POST("/api/v1/duty/hand-overs", { body }));
export const createTeam = (name: string) => ok(api.POST("/api/v1/duty/teams", { body: { name, municipality: "", trade: "" } }));
export const addMember = (team_id: string, name: string, phone: string) =>
  ok(api.POST("/api/v1/duty/teams/{team_id}/members", { params: { path: { team_id } }, body: { account: null, name, phone } }));
export const createFunction = (body: Schemas["NewFunction"]) => ok(api.POST("/api/v1/duty/functions", { body }));
export const addShift = (function_id: string, body: Schemas["Shift"]) => ok(api.POST("/api/v1/duty/functions/{function_id}/shifts", { params: at(function_id), body }));
