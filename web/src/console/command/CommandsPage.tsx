import { Table, UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { listCommands } from "../../shared/api/calls";
import type { Command } from "../../shared/api/types";
import { Pages } from "../../shared/ui/Pages";
import { visible } from "../../shared/visible";
import { Sheet } from "../shell/Sheet";
import { useDesk } from "../state/desk";
import { useFormat } from "../state/server";
import classes from "./CommandsPage.module.css";
import { ProgressBar } from "./CommandProgress";
import { countOf, requester, unconfirmed, underWay } from "./progress";

function Row({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  const missing = unconfirmed(command.counts);
  const open = underWay(command);
  return (
    <Table.Tr data-testid="command-row">
      <Table.Td className={classes["time"]}>{format.dateTime(command.requested_at)}</Table.Td>
      <Table.Td>
        <UnstyledButton className={classes["what"]} onClick={() => useDesk.getState().openPanel({ kind: "command", id: command.id })}>
          {t("command.title", { count: command.total, n: format.number(command.total), level: format.percent(command.params["level"] ?? 0) })}
        </UnstyledButton>
        <div className={classes["inline"]}>{format.dateTime(command.requested_at)}</div>
        <div className={classes["why"]}>{visible([requester(command), command.reason].filter(Boolean).join(" · "))}</div>
      </Table.Td>
      <Table.Td className={classes["bar"]}><ProgressBar command={command} /></Table.Td>
      <Table.Td className={classes["count"]}>{format.number(countOf(command.counts, "confirmed"))}</Table.Td>
      <Table.Td className={classes["count"]} data-missing={missing > 0 || undefined}>{format.number(missing)}</Table.Td>
      <Table.Td className={`${classes["count"]} ${classes["open"]}`}>{format.number(open)}</Table.Td>
    </Table.Tr>
  );
}

export default function CommandsPage() {
  const { t } = useTranslation();
  return (
    <Sheet title={t("desk.commands")}>
      <Pages queryKey={["commands"]} load={listCommands} empty={t("commands.empty")} hint={t("commands.emptyHint")} every={5_000}>
        {(commands) => (
          <Table horizontalSpacing="md" stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th className={classes["time"]}>{t("commands.when")}</Table.Th><Table.Th>{t("commands.what")}</Table.Th><Table.Th className={classes["bar"]}>{t("command.progress")}</Table.Th>
                <Table.Th className={classes["count"]}>{t("commandState.confirmed")}</Table.Th>
                <Table.Th className={classes["count"]}>{t("commands.missing")}</Table.Th>
                <Table.Th className={`${classes["count"]} ${classes["open"]}`}>{t("commands.open")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>{commands.map((command) => <Row key={command.id} command={command} />)}</Table.Tbody>
          </Table>
        )}
      </Pages>
    </Sheet>
  );
}
