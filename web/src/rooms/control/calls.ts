import { api, idempotency, ok } from "../../shared/api/client";
import type { Command, CommandState, NewCommand, Page, RequestCommand } from "../../shared/api/types";

export const postCommand = (body: NewCommand, key: string) =>
  ok(api.POST("/api/v1/commands", { params: { header: idempotency(key) }, body: body as RequestCommand })) as Promise<Command>;
export const listCommands = (query: { filter?: string; sort?: string; cursor: string | null; open?: boolean; limit?: number }) =>
  ok(api.GET("/api/v1/commands", { params: { query } })) as Promise<Page<Command>>;
export const getCommand = (command_id: string) =>
  ok(api.GET("/api/v1/commands/{command_id}", { params: { path: { command_id } } })) as Promise<Command>;
export const getCommandTargets = (command_id: string, state: CommandState, cursor: string | null) =>
  ok(api.GET("/api/v1/commands/{command_id}/targets", { params: { path: { command_id }, query: { state, cursor } } }));
export const cancelCommand = (command_id: string, reason: string) =>
  ok(api.POST("/api/v1/commands/{command_id}/cancel", { params: { path: { command_id } }, body: { reason } })) as Promise<Command>;
