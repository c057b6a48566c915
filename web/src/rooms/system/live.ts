/** The system page as it is pushed; asked for every two seconds while it is not. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getSystem } from "./calls";
import type { Component, System } from "../../shared/api/types";
import { useLiveStatus, useRows } from "../../shared/live/live";
import type { Row, Rows } from "../../shared/live/rows";
import type { Centre } from "../../shared/live/topics";

const isCentre = (row: Row<Component | Centre>): row is Row<Centre> => row.id === "centre";

/** Null until the topic was received. */
export function systemOf({ byId, list }: Rows<Component | Centre>): System | null {
  const centre = byId.get("centre");
  if (!centre || !isCentre(centre)) return null;
  const components = list.filter((row): row is Row<Component> => !isCentre(row));
  return { ...centre, components: components.sort((a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name)) };
}

export function useSystem(): Pick<UseQueryResult<System>, "data" | "isError" | "error" | "refetch"> {
  const pushed = useRows("core.system");
  const { live } = useLiveStatus();
  const system = useMemo(() => systemOf(pushed), [pushed]);
  const fresh = live && system !== null;
  const query = useQuery({ queryKey: ["system"], queryFn: getSystem, refetchInterval: fresh ? false : 2_000 });
  if (!fresh) return query;
  return { data: system, isError: false, error: null, refetch: query.refetch };
}
