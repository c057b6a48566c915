import { Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { getAdapters } from "../mqtt/calls";
import { Failed, Loading } from "../../shared/ui/States";
import { word } from "../../shared/i18n/words";
import { useFormat } from "../../console/state/server";
import classes from "./System.module.css";

/** The protocols that the platform speaks, and how far each is proven. */
export function Adapters() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data, isError, error, refetch } = useQuery({ queryKey: ["adapters"], queryFn: getAdapters, refetchInterval: 30_000 });
  if (isError && !data) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <Table horizontalSpacing="xs" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("adapter.protocol")}</Table.Th><Table.Th>{t("adapter.maturity")}</Table.Th><Table.Th>{t("adapter.missing")}</Table.Th>
          <Table.Th className={classes["count"]}>{t("adapter.clients")}</Table.Th><Table.Th className={classes["count"]}>{t("adapter.online")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {data.map((adapter) => (
          <Table.Tr key={adapter.name} data-testid="adapter-row">
            <Table.Td>{adapter.title}</Table.Td>
            <Table.Td>{word("maturity", adapter.maturity)}</Table.Td>
            <Table.Td className={classes["detail"]} lang="en">{adapter.exemptions.join(" ")}</Table.Td>
            <Table.Td className={classes["count"]}>{format.number(adapter.clients)}</Table.Td>
            <Table.Td className={classes["count"]}>{format.number(adapter.online)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
