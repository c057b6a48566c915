import { Anchor, Select, Table, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { getGateways, getQuarantine } from "./calls";
import type { QuarantineItem } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { Pages } from "../../shared/ui/Pages";
import { Sheet } from "../../console/shell/Sheet";
import { openAsset } from "../../console/state/desk";
import { useFormat } from "../../console/state/server";
import classes from "./Quarantine.module.css";
import { preview } from "./payload";

function Row({ item }: { item: QuarantineItem }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const Chevron = open ? ChevronDown : ChevronRight;
  const payload = open ? preview(item.payload, item.size) : null;
  return (
    <>
      <Table.Tr data-testid="quarantine-row" data-code={item.code}>
        <Table.Td className={classes["time"]}>{format.dateTime(item.received)}</Table.Td>
        <Table.Td>
          <UnstyledButton className={classes["reason"]} aria-expanded={open} onClick={() => setOpen(!open)}>
            <Chevron size={14} aria-hidden /><span>{word("quarantineCode", item.code, item.params)}</span>
          </UnstyledButton>
        </Table.Td>
        <Table.Td className={classes["mono"]}>{item.source || "–"}</Table.Td>
        <Table.Td className={classes["size"]}>{format.bytes(item.size)}</Table.Td>
      </Table.Tr>
      {payload && (
        <Table.Tr>
          <Table.Td colSpan={4} className={classes["detail"]}>
            <dl className={classes["facts"]}>
              <dt>{t("quarantine.topic")}</dt><dd className={classes["mono"]}>{item.topic}</dd>
              {item.asset !== null && (
                <><dt>{t("quarantine.asset")}</dt><dd><Anchor component="button" type="button" size="sm" onClick={() => item.asset !== null && openAsset(item.asset)}>{item.asset}</Anchor></dd></>
              )}
            </dl>
            <pre className={classes["payload"]} tabIndex={0} aria-label={t("quarantine.payload")}>{payload.text || t("quarantine.emptyPayload")}</pre>
            {(payload.binary || payload.cut) && (
              <p className={classes["note"]}>
                {payload.binary && t("quarantine.binary")} {payload.cut && t("quarantine.cut", { size: format.bytes(item.size) })}
              </p>
            )}
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

export default function QuarantinePage() {
  const { t } = useTranslation();
  const [source, setSource] = useState<string | null>(null);
  const gateways = useQuery({ queryKey: ["gateways", "first"], queryFn: () => getGateways(null) });
  const sources = (gateways.data?.items ?? []).filter(({ quarantined }) => quarantined > 0);
  return (
    <Sheet
      title={t("desk.quarantine")}
      tools={(
        <Select
          w={300} clearable searchable aria-label={t("quarantine.source")} placeholder={t("quarantine.allSources")} value={source} onChange={setSource}
          nothingFoundMessage={t("quarantine.noSource")} data={sources.map(({ token, name }) => ({ value: token, label: name || token }))}
        />
      )}
    >
      <p className={classes["intro"]}>{t("quarantine.intro")}</p>
      <Pages
        queryKey={["quarantine", source]} load={(cursor) => getQuarantine({ cursor, source })} every={5_000}
        empty={t("quarantine.empty")} hint={t("quarantine.emptyHint")}
      >
        {(items) => (
          <Table horizontalSpacing="md" stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("quarantine.received")}</Table.Th><Table.Th>{t("quarantine.reason")}</Table.Th>
                <Table.Th>{t("quarantine.source")}</Table.Th><Table.Th className={classes["size"]}>{t("quarantine.size")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>{items.map((item) => <Row key={item.id} item={item} />)}</Table.Tbody>
          </Table>
        )}
      </Pages>
    </Sheet>
  );
}
