import { Table } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { getGateways } from "../mqtt/calls";
import { Pages } from "../../shared/ui/Pages";
import { useNow } from "../../console/state/live";
import { useFormat } from "../../console/state/server";
import { Status } from "./Status";
import classes from "./System.module.css";

export function Gateways() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  return (
    <Pages queryKey={["gateways"]} load={getGateways} empty={t("gateway.empty")} hint={t("gateway.emptyHint")} every={5_000}>
      {(gateways) => (
        <Table horizontalSpacing="xs" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("gateway.name")}</Table.Th><Table.Th>{t("gateway.state")}</Table.Th><Table.Th>{t("gateway.lastSeen")}</Table.Th>
              {(["devices", "messages", "quarantined", "refused"] as const).map((name) => <Table.Th key={name} className={classes["count"]}>{t(`gateway.${name}`)}</Table.Th>)}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {gateways.map((gateway) => (
              <Table.Tr key={gateway.token} data-testid="gateway-row">
                <Table.Td title={gateway.token}>{gateway.name || gateway.token}</Table.Td>
                <Table.Td>
                  <Status
                    status={gateway.revoked || !gateway.online ? "down" : "ok"}
                    word={t(gateway.revoked ? "gateway.revoked" : gateway.online ? "gateway.online" : "gateway.offline")}
                  />
                </Table.Td>
                <Table.Td>{gateway.last_seen ? t("age.ago", { age: format.age((now - Date.parse(gateway.last_seen)) / 1000) }) : t("age.never")}</Table.Td>
                <Table.Td className={classes["count"]}>{format.number(gateway.devices)}</Table.Td>
                <Table.Td className={classes["count"]}>{format.number(gateway.messages)}</Table.Td>
                <Table.Td className={classes["count"]} data-alert={gateway.quarantined > 0 || undefined}>{format.number(gateway.quarantined)}</Table.Td>
                <Table.Td className={classes["count"]} data-alert={gateway.refused > 0 || undefined}>{format.number(gateway.refused)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Pages>
  );
}
