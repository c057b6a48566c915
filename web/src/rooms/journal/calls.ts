import { api, ok } from "../../shared/api/client";
import type { JournalEntry, Page } from "../../shared/api/types";

interface JournalQuery {
  filter?: string;
  act?: string | null;
  actor?: string | null;
  sort?: string;
  cursor?: string | null;
  limit?: number;
}

export const getJournal = (query: JournalQuery) => ok(api.GET("/api/v1/journal", { params: { query } })) as Promise<Page<JournalEntry>>;
export const getJournalEntry = (entry_id: string) =>
  ok(api.GET("/api/v1/journal/{entry_id}", { params: { path: { entry_id } } })) as Promise<JournalEntry>;
export const getJournalChanges = (entry_id: string, cursor: string | null, limit = 100) =>
  ok(api.GET("/api/v1/journal/{entry_id}/changes", { params: { path: { entry_id }, query: { cursor, limit } } }));
/** The acts that touched one object. */
export const getObjectJournal = (type: string, id: string, cursor: string | null) =>
  getJournal({ filter: `object:${type}/${id}`, cursor, limit: 20 });

export const getParked = (query: { filter?: string; sort?: string; cursor?: string | null; limit?: number } = {}) => ok(api.GET("/api/v1/journal/parked", { params: { query } }));
export const retryParked = (reaction: string, position: number) =>
  ok(api.POST("/api/v1/journal/parked/{reaction}/{position}/retry", { params: { path: { reaction, position } } }));
export const dismissParked = (reaction: string, position: number, reason: string) =>
  ok(api.POST("/api/v1/journal/parked/{reaction}/{position}/dismiss", { params: { path: { reaction, position } }, body: { reason } }));
