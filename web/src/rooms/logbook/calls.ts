import { api, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";
import type { Page } from "../../shared/api/types";

export type LogEntry = components["schemas"]["LogEntry"];
export type Shift = components["schemas"]["LogShift"];
type Query = { filter?: string; sort?: string; cursor?: string | null; limit?: number };

export const listEntries = (query: Query) => ok(api.GET("/api/v1/logbook/entries", { params: { query } })) as unknown as Promise<Page<LogEntry>>;
export const getEntry = (entry_id: string) => ok(api.GET("/api/v1/logbook/entries/{entry_id}", { params: { path: { entry_id } } }));
export const listOpen = () => ok(api.GET("/api/v1/logbook/open"));
export const writeEntry = (text: string, follow_up: boolean) => ok(api.POST("/api/v1/logbook/entries", { body: { text, follow_up, unit: "", municipality: "", trade: "", compartment: "" } }));
export const correctEntry = (entry_id: string, text: string, settles: boolean) =>
  ok(api.POST("/api/v1/logbook/entries/{entry_id}/corrections", { params: { path: { entry_id } }, body: { text, settles } }));
export const newestShift = async (): Promise<Shift | null> => {
  const page = (await ok(api.GET("/api/v1/logbook/shifts", { params: { query: { limit: 1 } } }))) as unknown as Page<Shift>;
  return page.items[0] ?? null;
};
export const handOver = (shift: Shift, note: string) =>
  ok(api.POST("/api/v1/logbook/shifts/{shift_id}/hand-over", { params: { path: { shift_id: shift.id }, header: { "If-Match": `"${shift.version}"` } }, body: { note } }));
export const takeShift = (shift: Shift) =>
  ok(api.POST("/api/v1/logbook/shifts/{shift_id}/take", { params: { path: { shift_id: shift.id }, header: { "If-Match": `"${shift.version}"` } } }));
export const sheetOf = (shift: Shift, lang: string) => `/api/v1/logbook/shifts/${shift.id}/sheet.pdf?lang=${lang}`;
export const exportOf = ({ filter, sort }: { filter: string; sort: string }, lang: string) =>
  `/api/v1/logbook/entries.xlsx?${new URLSearchParams({ filter, ...(sort ? { sort } : {}), lang }).toString()}`;
