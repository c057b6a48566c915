import { api, ok } from "../../shared/api/client";
import type { Asset, Found, History, JournalEntry, Page, SearchItem } from "../../shared/api/types";

export const getKinds = async () => (await ok(api.GET("/api/v1/kinds"))).items;
const onMap = (item: Found | SearchItem): item is SearchItem => item.point !== null && ["address", "asset", "street", "municipality"].includes(item.type);
export const search = async (q: string, signal: AbortSignal) => {
  const { items } = await ok(api.GET("/api/v1/search", { params: { query: { q, limit: 12 } }, signal }));
  return { items: (items as (Found | SearchItem)[]).filter(onMap) };
};
export const getAsset = (asset_id: number) =>
  ok(api.GET("/api/v1/assets/{asset_id}", { params: { path: { asset_id } } })) as Promise<Asset>;
export const listAssets = (query: { filter: string; cursor: string | null; limit: number; sort?: string }) =>
  ok(api.GET("/api/v1/assets", { params: { query } })) as Promise<Page<Asset>>;
export const getHistory = (asset_id: number, query: { metric: string; from: string; to: string; points: number }) =>
  ok(api.GET("/api/v1/assets/{asset_id}/history", { params: { path: { asset_id }, query } })) as Promise<History>;
export const getAssetJournal = (asset_id: number, cursor: string | null) =>
  ok(api.GET("/api/v1/assets/{asset_id}/journal", { params: { path: { asset_id }, query: { cursor } } })) as Promise<Page<JournalEntry>>;

/** The identities that a filter finds, through the export, in one answer. */
export async function findAssetIds(filter: string, signal?: AbortSignal): Promise<number[]> {
  const found = await ok(api.GET("/api/v1/assets.geojson", { params: { query: { filter } }, ...(signal ? { signal } : {}) }));
  return (found as { features: { id: number }[] }).features.map(({ id }) => id);
}
