import { Button, Group, Modal, MultiSelect, Stack, Table, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createToken, deleteToken, listTokens } from "./calls";
import type { TokenRow } from "../../shared/api/types";
import { explain, word } from "../../shared/i18n/words";
import { Pages } from "../../shared/ui/Pages";
import { Refusal } from "../../console/session/Refusal";
import { useSession } from "../../console/session/session";
import { useFormat } from "../../console/state/server";
import classes from "./Admin.module.css";
import { Secret, type SecretText } from "./Secret";

function NewToken({ onCreated }: { onCreated: (name: string, token: string) => void }) {
  const { t } = useTranslation();
  const { permissions } = useSession();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const create = useMutation({
    mutationFn: () => createToken({ name: name.trim(), permissions: chosen }),
    onSuccess: (made) => onCreated(made.name, made.token),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Stack gap={10}>
        <TextInput label={t("tokens.name")} description={t("tokens.nameHint")} required withAsterisk={false} autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <MultiSelect
          label={t("tokens.permissions")} searchable value={chosen} onChange={setChosen} nothingFoundMessage={t("tokens.noPermission")}
          data={permissions.map((value) => ({ value, label: word("permission", value) }))}
        />
        {create.isError && <Refusal>{explain(create.error)}</Refusal>}
        <Group justify="flex-end"><Button type="submit" disabled={chosen.length === 0} loading={create.isPending}>{t("tokens.create")}</Button></Group>
      </Stack>
    </form>
  );
}

export function Tokens() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState<TokenRow | null>(null);
  const [secret, setSecret] = useState<SecretText | null>(null);
  const again = () => client.invalidateQueries({ queryKey: ["tokens"] });
  const remove = useMutation({
    mutationFn: (token: TokenRow) => deleteToken(token.id),
    onSuccess: async () => {
      setRemoving(null);
      await again();
    },
  });
  const when = (time: string | null | undefined) => (time ? format.dateTime(time) : t("age.never"));
  return (
    <>
      <div className={classes["tools"]}><Button size="xs" onClick={() => setCreating(true)}>{t("tokens.new")}</Button></div>
      <Pages queryKey={["tokens"]} load={listTokens} empty={t("tokens.empty")} hint={t("tokens.emptyHint")}>
        {(tokens) => (
          <Table horizontalSpacing="md">
            <Table.Thead>
              <Table.Tr><Table.Th>{t("tokens.name")}</Table.Th><Table.Th>{t("tokens.permissions")}</Table.Th><Table.Th>{t("tokens.lastUsed")}</Table.Th><Table.Th /></Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {tokens.filter(({ revoked }) => revoked === null).map((token) => (
                <Table.Tr key={token.id} data-testid="token-row">
                  <Table.Td><div className={classes["name"]}>{token.name}</div><div className={classes["second"]}>{token.owner}</div></Table.Td>
                  <Table.Td>{token.permissions.map((name) => word("permission", name)).join(", ")}</Table.Td>
                  <Table.Td className={classes["second"]}>{when(token.last_used)}</Table.Td>
                  <Table.Td ta="right"><Button size="compact-xs" variant="default" onClick={() => setRemoving(token)}>{t("tokens.revoke")}</Button></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Pages>
      <Modal opened={creating} onClose={() => setCreating(false)} title={t("tokens.new")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <NewToken
          onCreated={(name, text) => {
            setCreating(false);
            void again();
            setSecret({ title: t("tokens.tokenOf", { name }), text });
          }}
        />
      </Modal>
      <Modal opened={removing !== null} onClose={() => setRemoving(null)} title={t("tokens.revoke")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <p className={classes["ask"]}>{t("tokens.revokeAsk", { name: removing?.name })}</p>
        {remove.isError && <Refusal>{explain(remove.error)}</Refusal>}
        <Group justify="flex-end" mt={12}>
          <Button variant="default" onClick={() => setRemoving(null)}>{t("action.cancel")}</Button>
          <Button color="orange" loading={remove.isPending} onClick={() => removing && remove.mutate(removing)}>{t("tokens.revokeDo", { name: removing?.name })}</Button>
        </Group>
      </Modal>
      <Secret secret={secret} onClose={() => setSecret(null)} />
    </>
  );
}
