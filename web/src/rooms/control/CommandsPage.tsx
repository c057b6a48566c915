import { Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, Plain, StateBadge, Time, type Tone, savedViews } from "../../console/frame";
import { useCan } from "../../console/session/session";
import { kindsQuery, useFormat } from "../../console/state/server";
import type { Command } from "../../shared/api/types";
import type { Format } from "../../shared/i18n/format";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { Entry } from "../journal/Entry";
import { getJournalEntry } from "../journal/calls";
import { commandTitle } from "../twin/kindWords";
import { CancelVerb } from "./CancelVerb";
import { CommandProgress, ProgressBar } from "./CommandProgress";
import classes from "./CommandsPage.module.css";
import { NotConfirmed } from "./NotConfirmed";
import { WayBack } from "./WayBack";
import { listCommands } from "./calls";
import { countOf, requester, unconfirmed, underWay } from "./progress";
import { useCommand } from "./useCommand";

const id = (command: Command) => command.id;

function toneOf(command: Command): Tone {
  if (underWay(command) > 0) return "active";
  return unconfirmed(command.counts) > 0 ? "attention" : "done";
}

function useTitle(): (command: Command) => string {
  const { t } = useTranslation();
  const format = useFormat();
  const kinds = useQuery(kindsQuery).data;
  return useCallback(
    (command) => command.verb !== "set_dimming_level" ? commandTitle(kinds ?? [], command, format) : t("command.title", { count: command.total, n: format.number(command.total), level: format.percent(command.params["level"] ?? 0) }),
    [t, format, kinds],
  );
}

function State({ command }: { command: Command }) {
  const { t } = useTranslation();
  const tone = toneOf(command);
  return <StateBadge tone={tone} word={t(tone === "active" ? "commands.underWay" : tone === "done" ? "commands.done" : "commands.incomplete")} />;
}

const why = (command: Command): string => visible([requester(command), command.reason].filter(Boolean).join(" · "));

function Journal({ entry }: { entry: string }) {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ["journal", entry, "entry"], queryFn: () => getJournalEntry(entry) });
  return found.data && <DetailSection title={t("frame.journal")}><ol className={classes["entries"]}><Entry entry={found.data} /></ol></DetailSection>;
}

function CommandDetail({ id: command }: { id: string }) {
  const { t } = useTranslation();
  const can = useCan();
  const title = useTitle();
  const { data, isError, error, refetch } = useCommand(command);
  if (!data) return isError ? <Failed error={error} retry={() => void refetch()} /> : <Loading />;
  return (
    <DetailPanel
      title={title(data)} subtitle={<>{requester(data)} · <Time at={data.requested_at} /></>} state={<State command={data} />} testId="command-detail"
      verbs={underWay(data) > 0 ? <CancelVerb command={data} hotkey="x" /> : undefined}
    >
      <DetailSection title={t("command.progress")}><CommandProgress command={data} /></DetailSection>
      <DetailSection title={t("commands.what")}>
        <Facts
          facts={[
            ...(data.reason ? [{ label: t("command.reason"), value: <Plain text={data.reason} /> }] : []),
            { label: t("commands.when"), value: <Time at={data.requested_at} as="exact" /> },
            ...(data.ended_at ? [{ label: t("commands.ended"), value: <Time at={data.ended_at} as="exact" /> }] : [{ label: t("commands.expires"), value: <Time at={data.expires_at} as="exact" />, age: <Time at={data.expires_at} /> }]),
          ]}
        />
      </DetailSection>
      {can("control.command") && data.verb === "set_dimming_level" && <WayBack key={command} command={data} />}
      <NotConfirmed command={data} />
      {can("journal.read") && <Journal entry={data.entry} />}
    </DetailPanel>
  );
}

function columnsOf(title: (command: Command) => string, format: Format, t: TFunction): Column<Command>[] {
  return [
    { key: "when", title: t("commands.when"), width: "152px", sort: "requested_at", from: 560, cell: ({ requested_at: at }) => <span className={classes["quiet"]}>{format.dateTime(at)}</span> },
    {
      key: "what", title: t("commands.what"), width: "minmax(160px, 2fr)",
      cell: (command) => <span data-testid="command-row"><span className={classes["what"]}>{title(command)}</span> <span className={classes["quiet"]}>{why(command)}</span></span>,
    },
    { key: "state", title: t("commands.state"), width: "130px", cell: (command) => <State command={command} /> },
    { key: "bar", title: t("command.progress"), width: "120px", from: 820, cell: (command) => <ProgressBar command={command} /> },
    { key: "confirmed", title: t("commandState.confirmed"), width: "64px", align: "end", from: 700, cell: ({ counts }) => format.number(countOf(counts, "confirmed")) },
    {
      key: "missing", title: t("commands.missing"), width: "76px", align: "end", from: 700,
      cell: ({ counts }) => <span className={classes["missing"]} data-missing={unconfirmed(counts) > 0 || undefined}>{format.number(unconfirmed(counts))}</span>,
    },
  ];
}

const views = savedViews("control.commands");

export default function CommandsPage() {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const title = useTitle();
  const [open, setOpen] = useState(false);
  const load = useCallback(
    ({ filter, sort, cursor, limit }: ListQuery) => listCommands({ filter, cursor, limit, ...(sort ? { sort } : {}), ...(open ? { open } : {}) }), [open],
  );
  const columns = useMemo(() => columnsOf(title, format, t), [title, format, t]);
  return (
    <ListPage
      title={t("desk.commands")} path="/commands" queryKey={["commands", open]} load={load} id={id} columns={columns} every={5_000} initialSort="-requested_at"
      views={views} filter={{ placeholder: t("commands.filter") }}
      exportHref={({ filter, sort }) => `/api/v1/commands.xlsx?${new URLSearchParams({ filter, ...(sort ? { sort } : {}), lang: i18n.language }).toString()}`}
      queue={(command) => ({
        title: title(command), line: why(command), age: <Time at={command.requested_at} />, end: <State command={command} />, waits: underWay(command) > 0,
      })}
      detail={(command) => <CommandDetail id={command} />} empty={t("commands.empty")} emptyHint={t("commands.emptyHint")}
      tools={<Switch size="xs" label={t("commands.onlyOpen")} checked={open} onChange={(event) => setOpen(event.currentTarget.checked)} />}
    />
  );
}
