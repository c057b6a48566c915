import { Button, Group, Modal, Stack, Table, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { addPasskey, listPasskeys, newPasskeyOptions, removePasskey } from "./calls";
import { explain } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { useFormat } from "../state/server";
import classes from "./Account.module.css";
import { useFreshly } from "./FreshLogin";
import { usePasskeyRefusal, waysQuery } from "./OtherWays";
import { Refusal } from "./Refusal";
import { Section } from "./Section";
import { deviceName, makePasskey, passkeysHere } from "./passkey";

function NewPasskey({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const why = usePasskeyRefusal();
  const freshly = useFreshly();
  const [name, setName] = useState(() => deviceName(navigator.userAgent));
  const add = useMutation({
    mutationFn: async () => {
      const { public_key } = await freshly(newPasskeyOptions);
      return await addPasskey(name.trim(), await makePasskey(public_key));
    },
    onSuccess: onDone,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Stack gap={12}>
        <TextInput label={t("signin.passkeyName")} description={t("signin.passkeyNameHint")} data-autofocus maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} data-testid="passkey-name" />
        {add.isError && <Refusal>{why(add.error)}</Refusal>}
        <Group justify="flex-end"><Button type="submit" disabled={name.trim() === ""} loading={add.isPending} data-testid="passkey-create">{t("signin.addPasskey")}</Button></Group>
      </Stack>
    </form>
  );
}

export function Passkeys() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const freshly = useFreshly();
  const [adding, setAdding] = useState(false);
  const ways = useQuery(waysQuery).data;
  const list = useQuery({ queryKey: ["passkeys"], queryFn: listPasskeys });
  const again = () => client.invalidateQueries({ queryKey: ["passkeys"] });
  const remove = useMutation({ mutationFn: (id: string) => freshly(() => removePasskey(id)), onSettled: again });
  const possible = ways?.passkeys === true && passkeysHere();
  return (
    <Section
      title={t("signin.passkeys")} hint={t(ways && !possible ? "signin.passkeysNeedName" : "signin.passkeysHint")}
      tools={possible && <Button size="xs" onClick={() => setAdding(true)} data-testid="passkey-add">{t("signin.addPasskey")}</Button>}
    >
      {remove.isError && <Refusal>{explain(remove.error)}</Refusal>}
      {list.isPending && <Loading rows={2} />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data?.length === 0 && <span className={classes["second"]}>{t("signin.noPasskey")}</span>}
      {list.data && list.data.length > 0 && (
        <Table>
          <Table.Thead><Table.Tr><Table.Th>{t("signin.passkeyName")}</Table.Th><Table.Th>{t("signin.created")}</Table.Th><Table.Th>{t("signin.lastUsed")}</Table.Th><Table.Th /></Table.Tr></Table.Thead>
          <Table.Tbody>
            {list.data.map((key) => (
              <Table.Tr key={key.id} data-testid="passkey-row">
                <Table.Td><div className={classes["name"]}>{key.name}</div><div className={classes["second"]}>{key.host}</div></Table.Td>
                <Table.Td className={classes["second"]}>{format.dateTime(key.created)}</Table.Td>
                <Table.Td className={classes["second"]}>{key.used ? format.dateTime(key.used) : t("age.never")}</Table.Td>
                <Table.Td ta="right">
                  <Button size="compact-xs" variant="default" aria-label={t("signin.removeNamed", { name: key.name })} loading={remove.isPending && remove.variables === key.id} onClick={() => remove.mutate(key.id)}>{t("signin.remove")}</Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={t("signin.addPasskey")} closeButtonProps={{ "aria-label": t("action.close") }}>
        <NewPasskey
          onDone={() => {
            setAdding(false);
            void again();
          }}
        />
      </Modal>
    </Section>
  );
}
