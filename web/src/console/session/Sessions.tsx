import { Button, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { endOtherSessions, endSession, listSessions } from "./calls";
import { explain } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { useFormat } from "../state/server";
import classes from "./Account.module.css";
import { Refusal } from "./Refusal";
import { Section } from "./Section";
import { deviceName } from "./passkey";

/** Where one is logged in; each can be ended here. */
export function Sessions() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const list = useQuery({ queryKey: ["sessions"], queryFn: listSessions });
  const end = useMutation({
    mutationFn: async (id: string | null) => {
      if (id) await endSession(id);
      else await endOtherSessions();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["sessions"] }),
  });
  const means = (name: string) => (name === "password" ? t("signin.byPassword") : name === "passkey" ? t("signin.byPasskey") : name);
  return (
    <Section
      title={t("signin.sessions")} hint={t("signin.sessionsHint")}
      tools={(list.data?.length ?? 0) > 1 && <Button size="xs" variant="default" onClick={() => end.mutate(null)} data-testid="end-others">{t("signin.endOthers")}</Button>}
    >
      {end.isError && <Refusal>{explain(end.error)}</Refusal>}
      {list.isPending && <Loading rows={2} />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data && (
        <Table>
          <Table.Thead><Table.Tr><Table.Th>{t("signin.device")}</Table.Th><Table.Th>{t("signin.place")}</Table.Th><Table.Th>{t("signin.since")}</Table.Th><Table.Th>{t("signin.lastUsed")}</Table.Th><Table.Th /></Table.Tr></Table.Thead>
          <Table.Tbody>
            {list.data.map((one) => (
              <Table.Tr key={one.id} data-testid="session-row" data-current={one.current || undefined}>
                <Table.Td>
                  <div className={classes["name"]} title={one.agent}>{deviceName(one.agent) || t("signin.deviceUnknown")}</div>
                  <div className={classes["second"]}>{t("signin.via", { means: means(one.means) })}</div>
                </Table.Td>
                <Table.Td className={classes["second"]}>{one.address}</Table.Td>
                <Table.Td className={classes["second"]}>{format.dateTime(one.since)}</Table.Td>
                <Table.Td className={classes["second"]}>{format.dateTime(one.last_used)}</Table.Td>
                <Table.Td ta="right">
                  {one.current
                    ? <span className={classes["second"]}>{t("signin.current")}</span>
                    : <Button size="compact-xs" variant="default" loading={end.isPending && end.variables === one.id} onClick={() => end.mutate(one.id)}>{t("signin.end")}</Button>}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
