import { ActionIcon, Button, Group, Select, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Grant } from "../../shared/api/types";
import { rolesQuery, useRoleName } from "../../console/state/roles";
import { useTerritory } from "../../console/state/server";
import classes from "./Admin.module.css";

export type GrantInput = Pick<Grant, "role" | "municipality" | "trade">;
/** Rights that widen are chosen, never preset: there is no territory until one is. */
export const firstGrant: GrantInput = { role: "operator", municipality: "", trade: "*" };

/** Who may do what, where: a line a right. */
export function GrantFields({ grants, onChange }: { grants: GrantInput[]; onChange: (grants: GrantInput[]) => void }) {
  const { t } = useTranslation();
  const territory = useTerritory();
  const roleName = useRoleName();
  const roles = useQuery(rolesQuery).data?.roles.map(({ name }) => name) ?? [firstGrant.role];
  const places = [{ value: "*", label: t("user.everywhere") }, ...(territory?.municipalities.map(({ insee, name }) => ({ value: insee, label: name })) ?? [])];
  const put = (at: number, part: Partial<GrantInput>) => onChange(grants.map((grant, i) => (i === at ? { ...grant, ...part } : grant)));
  return (
    <Stack gap={8}>
      {grants.map((grant, i) => (
        <Group key={i} gap={8} wrap="nowrap" align="flex-end">
          <Select
            flex={1} label={i === 0 ? t("users.role") : undefined} aria-label={t("users.role")} value={grant.role}
            onChange={(role) => role && put(i, { role })} data={[...new Set([...roles, grant.role])].map((value) => ({ value, label: roleName(value) }))}
          />
          <Select
            flex={1.4} label={i === 0 ? t("users.where") : undefined} aria-label={t("users.where")} searchable required withAsterisk={false} placeholder={t("users.chooseWhere")} value={grant.municipality || null} data-testid="grant-where"
            onChange={(municipality) => put(i, { municipality: municipality ?? grant.municipality })} data={places}
          />
          <ActionIcon size={32} variant="subtle" color="gray" aria-label={t("users.removeGrant")} onClick={() => onChange(grants.filter((_, at) => at !== i))}>
            <X size={16} />
          </ActionIcon>
        </Group>
      ))}
      {grants.length === 0 && <p className={classes["second"]}>{t("users.noRights")}</p>}
      <Group>
        <Button variant="subtle" color="gray" size="compact-sm" leftSection={<Plus size={14} />} onClick={() => onChange([...grants, firstGrant])}>{t("users.add")}</Button>
      </Group>
    </Stack>
  );
}
