/** The list's filter is the map's filter: the lights it does not find are dimmed. */
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { findAssetIds } from "../../rooms/twin/calls";
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
  const listed = useDesk((desk) => desk.listed);
  const found = useFoundIds(filter).data;
  useEffect(() => {
    useDesk.getState().set({ found: listed ? new Set(listed.ids) : filter && found ? new Set(found) : null });
  }, [filter, found, listed]);
}
