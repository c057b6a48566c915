import { api, ok } from "../../shared/api/client";

export const getQuarantine = (query: { cursor: string | null; source: string | null }) => ok(api.GET("/api/v1/quarantine", { params: { query } }));
export const getGateways = (cursor: string | null) => ok(api.GET("/api/v1/gateways", { params: { query: { cursor } } }));
export const getAdapters = () => ok(api.GET("/api/v1/gateways/adapters"));
