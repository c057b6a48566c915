import { api, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";
import type { Page, System } from "../../shared/api/types";

export type JobRow = components["schemas"]["JobRow"];
interface Query { filter: string; sort: string; cursor: string | null; limit: number }
type Match = { "If-Match": string };

export const getSystem = () => ok(api.GET("/api/v1/system")) as Promise<System>;
export const listJobs = ({ sort, ...query }: Query) => ok(api.GET("/api/v1/jobs", { params: { query: { ...query, ...(sort ? { sort } : {}) } } })) as unknown as Promise<Page<JobRow>>;
export const listJobKinds = () => ok(api.GET("/api/v1/jobs/kinds"));
export const getJob = (job_id: string) => ok(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id } } }));
export const retryJob = (job_id: string, header: Match) => ok(api.POST("/api/v1/jobs/{job_id}/retry", { params: { path: { job_id }, header } }));
export const cancelJob = (job_id: string, header: Match) => ok(api.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id }, header } }));
