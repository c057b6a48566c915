import { Button, Group, Modal, Table } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { listUsers, resetPassword, updateUser } from "./calls";
import type { Grant, UserRow } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { Pages } from "../../shared/ui/Pages";
import { Refusal } from "../../console/session/Refusal";
import { useCan, useSession } from "../../console/session/session";
import { useRoleName } from "../../console/state/roles";
import { useFormat, useMunicipality } from "../../console/state/server";
import classes from "./Admin.module.css";
import { NewUser } from "./NewUser";
import { Rights } from "./Rights";
import { Secret, type SecretText } from "./Secret";

export function Users() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const me = useSession().user.id;
  const manages = useCan()("access.manage");
  const municipality = useMunicipality();
  const roleName = useRoleName();
  const [creating, setCreating] = useState(false);
  const [resetting, setResetting] = useState<UserRow | null>(null);
  const [changing, setChanging] = useState<UserRow | null>(null);
  const [secret, setSecret] = useState<SecretText | null>(null);
  const again = () => client.invalidateQueries({ queryKey: ["users"] });
  const toggle = useMutation({ mutationFn: (user: UserRow) => updateUser(user, { active: !user.active }), onSettled: again });
  const reset = useMutation({
    mutationFn: (user: UserRow) => resetPassword(user.id),
    onSuccess: ({ password }, user) => {
      setResetting(null);
      setSecret({ title: t("users.passwordOf", { name: user.username }), text: password });
    },
  });
  const where = (grant: Grant) => (grant.municipality === "*" ? t("user.everywhere") : municipality(grant.municipality));

  return (
    <>
      {manages && <div className={classes["tools"]}><Button size="xs" onClick={() => setCreating(true)}>{t("users.new")}</Button></div>}
      {toggle.isError && <div className={classes["error"]}><Refusal>{explain(toggle.error)}</Refusal></div>}
      <Pages queryKey={["users"]} load={listUsers} empty={t("users.empty")}>
        {(users) => (
          <Table horizontalSpacing="md">
            <Table.Thead>
              <Table.Tr><Table.Th>{t("users.name")}</Table.Th><Table.Th>{t("users.rights")}</Table.Th><Table.Th className={classes["last"]}>{t("users.lastLogin")}</Table.Th><Table.Th /></Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {users.map((user) => (
                <Table.Tr key={user.id} data-inactive={!user.active || undefined} className={classes["user"]} data-testid="user-row">
                  <Table.Td><div className={classes["name"]}>{user.display_name}</div><div className={classes["second"]}>{user.username}</div></Table.Td>
                  <Table.Td>{user.grants.map((grant, i) => <div key={i}>{roleName(grant.role)} · {where(grant)}</div>)}</Table.Td>
                  <Table.Td className={`${classes["second"]} ${classes["last"]}`}>{user.last_login ? format.dateTime(user.last_login) : t("age.never")}</Table.Td>
                  <Table.Td>
                    {manages && <Group gap={6} justify="flex-end" className={classes["verbs"]}>
                      <Button size="compact-xs" variant="default" onClick={() => setChanging(user)}>{t("users.change")}</Button>
                      <Button
                        size="compact-xs" variant="default" disabled={user.id === me}
                        onClick={() => {
                          reset.reset();
                          setResetting(user);
                        }}
                      >
                        {t("users.reset")}
                      </Button>
                      <Button size="compact-xs" variant="default" disabled={user.id === me} loading={toggle.isPending && toggle.variables.id === user.id} onClick={() => toggle.mutate(user)}>
                        {t(user.active ? "users.deactivate" : "users.activate")}
                      </Button>
                    </Group>}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Pages>
      <Modal opened={creating} onClose={() => setCreating(false)} title={t("users.new")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <NewUser
          onCreated={(username, password) => {
            setCreating(false);
            void again();
            setSecret({ title: t("users.passwordOf", { name: username }), text: password });
          }}
        />
      </Modal>
      <Modal opened={resetting !== null} onClose={() => setResetting(null)} title={t("users.reset")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <p className={classes["ask"]}>{t("users.resetAsk", { name: resetting?.username })}</p>
        {reset.isError && <Refusal>{explain(reset.error)}</Refusal>}
        <Group justify="flex-end" mt={12}>
          <Button variant="default" onClick={() => setResetting(null)}>{t("action.cancel")}</Button>
          <Button color="orange" loading={reset.isPending} onClick={() => resetting && reset.mutate(resetting)}>{t("users.resetDo", { name: resetting?.username })}</Button>
        </Group>
      </Modal>
      <Rights
        user={changing}
        onClose={() => {
          setChanging(null);
          void again();
        }}
      />
      <Secret secret={secret} onClose={() => setSecret(null)} />
    </>
  );
}
