/** The roles there are: those that rooms declare, as this installation edited them, and its own. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { getRoles } from "../../rooms/access/calls";
import type { RoleRow } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";

export const rolesQuery = { queryKey: ["roles"], queryFn: getRoles, staleTime: 60_000 };

export function useRoleName(): (name: string) => string {
  const { i18n } = useTranslation();
  const roles = useQuery(rolesQuery).data?.roles;
  return (name) => labelOf(roles?.find((role) => role.name === name), i18n.language) ?? word("role", name);
}

function labelOf(role: RoleRow | undefined, language: string): string | undefined {
  return role?.labels[language] ?? Object.values(role?.labels ?? {})[0];
}
