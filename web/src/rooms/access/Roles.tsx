import { Badge, Button, Group, Modal, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { removeRole } from "./calls";
import type { RoleRow } from "../../shared/api/types";
import { explain, word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { Refusal } from "../../console/session/Refusal";
import { rolesQuery, useRoleName } from "../../console/state/roles";
import classes from "./Admin.module.css";
import { RoleForm } from "./RoleForm";

/** What each role may do. Those of rooms can be edited and restored, those of one's own come and go. */
export function Roles() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const catalogue = useQuery(rolesQuery);
  const roleName = useRoleName();
  const [editing, setEditing] = useState<RoleRow | "new" | null>(null);
  const [removing, setRemoving] = useState<RoleRow | null>(null);
  const again = () => client.invalidateQueries({ queryKey: rolesQuery.queryKey });
  const remove = useMutation({
    mutationFn: (role: RoleRow) => removeRole(role.name),
    onSuccess: async () => {
      setRemoving(null);
      await again();
    },
  });
  if (!catalogue.data) return catalogue.isError ? <Failed error={catalogue.error} retry={() => void catalogue.refetch()} /> : <Loading />;
  return (
    <>
      <div className={classes["tools"]}><Button size="xs" onClick={() => setEditing("new")} data-testid="role-new">{t("roles.new")}</Button></div>
      <Table horizontalSpacing="md" verticalSpacing="xs">
        <Table.Thead><Table.Tr><Table.Th>{t("roles.role")}</Table.Th><Table.Th>{t("roles.permissions")}</Table.Th><Table.Th /></Table.Tr></Table.Thead>
        <Table.Tbody>
          {catalogue.data.roles.map((role) => (
            <Table.Tr key={role.name} data-testid="role-row" data-role={role.name}>
              <Table.Td>
                <Group gap={6} wrap="nowrap">
                  <span className={classes["name"]}>{roleName(role.name)}</span>
                  {role.edited && <Badge size="xs" variant="outline" color="gray">{t("roles.edited")}</Badge>}
                  {!role.declared && <Badge size="xs" variant="outline" color="gray">{t("roles.own")}</Badge>}
                </Group>
                {role.compartments.length > 0 && <div className={classes["second"]}>{t("roles.compartments")} {role.compartments.join(", ")}</div>}
              </Table.Td>
              <Table.Td className={classes["second"]}>{role.permissions.map((name) => word("permission", name)).join(", ")}</Table.Td>
              <Table.Td>
                <Group gap={6} justify="flex-end" className={classes["verbs"]}>
                  {role.editable
                    ? <Button size="compact-xs" variant="default" onClick={() => setEditing(role)}>{t("roles.edit")}</Button>
                    : <span className={classes["second"]}>{t("roles.fixed")}</span>}
                  {(role.edited || !role.declared) && (
                    <Button
                      size="compact-xs" variant="default"
                      onClick={() => {
                        remove.reset();
                        setRemoving(role);
                      }}
                    >
                      {t(role.declared ? "roles.reset" : "roles.remove")}
                    </Button>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Modal
        opened={editing !== null} onClose={() => setEditing(null)} size="lg" closeButtonProps={{ "aria-label": t("action.close") }}
        title={editing === "new" || editing === null ? t("roles.new") : roleName(editing.name)}
      >
        {editing && (
          <RoleForm
            role={editing === "new" ? null : editing} catalogue={catalogue.data}
            onDone={() => {
              setEditing(null);
              void again();
            }}
          />
        )}
      </Modal>
      <Modal opened={removing !== null} onClose={() => setRemoving(null)} title={removing && roleName(removing.name)} closeButtonProps={{ "aria-label": t("action.close") }}>
        <p className={classes["ask"]}>{removing && t(removing.declared ? "roles.backAsk" : "roles.removeAsk", { name: roleName(removing.name) })}</p>
        {remove.isError && <Refusal>{explain(remove.error)}</Refusal>}
        <Group justify="flex-end" mt={12}>
          <Button variant="default" onClick={() => setRemoving(null)}>{t("action.cancel")}</Button>
          <Button color="orange" loading={remove.isPending} onClick={() => removing && remove.mutate(removing)}>{removing && t(removing.declared ? "roles.reset" : "roles.remove")}</Button>
        </Group>
      </Modal>
    </>
  );
}
