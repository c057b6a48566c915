import { api, ifMatch, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";
import type { Page } from "../../shared/api/types";

type Schemas = components["schemas"];
export type Message = Schemas["Message"];
export type Cascade = Schemas["Cascade"];
export type Preferences = Schemas["Preferences"];
export type Channel = Message["channel"];
interface Query { filter: string; sort: string; cursor: string | null; limit: number }
const asked = ({ sort, ...query }: Query) => ({ params: { query: { ...query, ...(sort ? { sort } : {}) } } });

export const listMessages = (query: Query) => ok(api.GET("/api/v1/notify/messages", asked(query))) as unknown as Promise<Page<Message>>;
export const getMessage = (message_id: string) => ok(api.GET("/api/v1/notify/messages/{message_id}", { params: { path: { message_id } } }));
export const cancelMessage = (message: Message) =>
  ok(api.POST("/api/v1/notify/messages/{message_id}/cancel", { params: { path: { message_id: message.id }, header: ifMatch(message.version) } }));
export const writeOutcome = (message: Message, reached: boolean) =>
  ok(api.POST("/api/v1/notify/messages/{message_id}/outcome", { params: { path: { message_id: message.id }, header: ifMatch(message.version) }, body: { reached } }));
export const listCascades = (query: Query) => ok(api.GET("/api/v1/notify/cascades", asked(query))) as unknown as Promise<Page<Cascade>>;
export const getCascade = (cascade_id: string) => ok(api.GET("/api/v1/notify/cascades/{cascade_id}", { params: { path: { cascade_id } } }));
export const acknowledgeCascade = (cascade_id: string) => ok(api.POST("/api/v1/notify/cascades/{cascade_id}/acknowledge", { params: { path: { cascade_id } } }));
export const cancelCascade = (cascade: Cascade) =>
  ok(api.POST("/api/v1/notify/cascades/{cascade_id}/cancel", { params: { path: { cascade_id: cascade.id }, header: ifMatch(cascade.version) } }));
export const listTemplates = () => ok(api.GET("/api/v1/notify/templates"));
export const getPreferences = () => ok(api.GET("/api/v1/notify/preferences"));
export const putPreferences = (body: Preferences) => ok(api.PUT("/api/v1/notify/preferences", { body }));
export const exportOf = (list: "messages" | "cascades") => ({ filter, sort }: { filter: string; sort: string }) =>
  `/api/v1/notify/${list}.xlsx?${new URLSearchParams({ filter, ...(sort ? { sort } : {}) }).toString()}`;
