/** What the server knows that changes rarely, asked once and shared. */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, ok } from "../../shared/api/client";
import { getKinds } from "../../rooms/twin/calls";
import { ApiError } from "../../shared/api/errors";
import type { KindSpec, MetricSpec, Territory } from "../../shared/api/types";
import { type Format, makeFormat } from "../../shared/i18n/format";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      staleTime: 5_000,
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      retryDelay: (attempt) => 400 * 2 ** attempt,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

export const territoryQuery = { queryKey: ["territory"], queryFn: () => ok(api.GET("/api/v1/territory")) as Promise<Territory>, staleTime: Infinity };
export const kindsQuery = { queryKey: ["kinds"], queryFn: getKinds, staleTime: Infinity };

export function useTerritory(): Territory | undefined {
  return useQuery(territoryQuery).data;
}

export function useMunicipality(): (insee: string) => string {
  const territory = useTerritory();
  return useMemo(() => {
    const names = new Map(territory?.municipalities.map((place) => [place.insee, place.name]));
    return (insee) => names.get(insee) ?? insee;
  }, [territory]);
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  return useMemo(() => makeFormat(i18n.language, zone), [i18n.language, zone]);
}

export function useKind(name: string): KindSpec | undefined {
  return useQuery(kindsQuery).data?.find((kind) => kind.name === name);
}

export function metricOf(kind: KindSpec | undefined, name: string): MetricSpec | undefined {
  return kind?.metrics.find((metric) => metric.name === name);
}

const defaultPromise = 180;

/** Seconds within which a street light promises to report. */
export function usePromise(): number {
  return metricOf(useKind("Streetlight"), "dimmingLevel")?.promise_s ?? defaultPromise;
}
