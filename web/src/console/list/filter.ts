/** The list's filter is the map's filter: the lights it does not find are dimmed. */
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { findAssetIds } from "../../shared/api/calls";
import { useDesk } from "../state/desk";

export function useFoundIds(filter: string) {
  return useQuery({
    queryKey: ["found", filter],
    queryFn: ({ signal }) => findAssetIds(filter, signal),
    enabled: filter !== "",
    staleTime: 15_000,
  });
}

export function useFilterOnMap(): void {
  const filter = useDesk((desk) => desk.filter);
  const found = useFoundIds(filter).data;
  useEffect(() => {
    useDesk.getState().set({ found: filter && found ? new Set(found) : null });
  }, [filter, found]);
}

/** A value with a space or a quote needs quotes. */
export function quote(value: string): string {
  return /[\s":]/.test(value) ? `"${value.replaceAll('"', '\\"')}"` : value;
}

const term = (field: string) => new RegExp(`(?:^|\\s)${field}:(?:"(?:[^"\\\\]|\\\\.)*"|\\S*)`, "g");

/** The filter with one field set anew, or taken out when the value is null. */
export function withField(filter: string, field: string, value: string | null): string {
  const rest = filter.replace(term(field), " ").replace(/\s+/g, " ").trim();
  return value === null ? rest : `${rest} ${field}:${quote(value)}`.trim();
}

export function fieldOf(filter: string, field: string): string | null {
  const found = filter.match(term(field))?.[0].trim().slice(field.length + 1);
  if (found === undefined) return null;
  return found.startsWith('"') ? found.slice(1, -1).replaceAll('\\"', '"') : found;
}
