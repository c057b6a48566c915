import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, Plain, StateBadge, Time, VerbButton, savedViews } from "../../console/frame";
import { useCan } from "../../console/session/session";
import { useFormat } from "../../console/state/server";
import type { Parked } from "../../shared/api/types";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { Entry } from "./Entry";
import classes from "./JournalPage.module.css";
import { dismissParked, getJournalEntry, getParked, retryParked } from "./calls";

const key = ["parked"];
const views = savedViews("journal.parked");
const id = ({ reaction, position }: Parked) => `${reaction}:${position}`;

function Status({ item }: { item: Parked }) {
  const { t } = useTranslation();
  return item.retry ? <StateBadge tone="active" word={t("parked.retrying")} /> : <StateBadge tone="attention" word={t("parked.givenUp")} />;
}

function Act({ entry }: { entry: string }) {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ["journal", entry, "entry"], queryFn: () => getJournalEntry(entry) });
  if (!found.data) return found.isError ? <Failed error={found.error} /> : <Loading rows={2} />;
  return <DetailSection title={t("parked.act")}><ol className={classes["whole"]}><Entry entry={found.data} /></ol></DetailSection>;
}

function ParkedDetail({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const can = useCan();
  const format = useFormat();
  const client = useQueryClient();
  // The server has them only as a list, and it is short.
  const list = useQuery({ queryKey: [...key, "all"], queryFn: () => getParked(), refetchInterval: 5_000 });
  const item = list.data?.items.find((candidate) => id(candidate) === asked);
  if (!list.data) return list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : <Loading />;
  if (!item) return <Empty title={t("parked.gone")} hint={t("parked.goneHint")} />;
  const again = () => client.invalidateQueries({ queryKey: key });
  return (
    <DetailPanel
      title={item.reaction} subtitle={<Time at={item.parked} />} state={<Status item={item} />} testId="parked-detail"
      verbs={(
        <>
          <VerbButton
            label={t("parked.retry")} permission="journal.operate" primary hotkey="t" needsLive={false} testId="parked-retry" done={t("parked.retryDone")}
            refused={item.retry ? t("parked.retrying") : null} run={() => retryParked(item.reaction, item.position)} onDone={() => void again()}
          />
          <VerbButton
            label={t("parked.dismiss")} permission="journal.operate" hotkey="x" needsLive={false} testId="parked-dismiss" demands={{ reason: true }}
            run={({ reason }) => dismissParked(item.reaction, item.position, reason)} onDone={() => void again()}
          />
        </>
      )}
    >
      <DetailSection title={t("parked.error")}><Plain text={item.error} /></DetailSection>
      <DetailSection title={t("parked.facts")}>
        <Facts facts={[{ label: t("parked.since"), value: <Time at={item.parked} as="exact" /> }, { label: t("parked.tries"), value: format.number(item.tries) }]} />
      </DetailSection>
      {can("journal.read") && <Act entry={item.entry} />}
    </DetailPanel>
  );
}

/** Acts that a reaction of the house gave up on: handled again, or left with a reason. */
export default function ParkedPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const load = useCallback(({ filter, sort, cursor, limit }: ListQuery) => getParked({ filter, cursor, limit, ...(sort ? { sort } : {}) }), []);
  const columns = useMemo((): Column<Parked>[] => [
    { key: "since", title: t("parked.since"), width: "152px", sort: "parked", cell: ({ parked }) => <span className={classes["quiet"]}>{format.dateTime(parked)}</span> },
    { key: "reaction", title: t("parked.reaction"), width: "minmax(140px, 1fr)", sort: "reaction", cell: ({ reaction }) => reaction },
    { key: "error", title: t("parked.error"), width: "minmax(160px, 2fr)", from: 560, cell: ({ error }) => <span className={classes["quiet"]}>{visible(error)}</span> },
    { key: "tries", title: t("parked.tries"), width: "64px", align: "end", from: 640, sort: "tries", cell: ({ tries }) => format.number(tries) },
    { key: "state", title: t("parked.state"), width: "130px", cell: (item) => <Status item={item} /> },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.parked")} path="/parked" queryKey={key} load={load} id={id} columns={columns} every={5_000} initialSort="position" views={views} filter={{ placeholder: t("parked.filter") }} intro={t("parked.intro")}
      queue={(item) => ({ title: item.reaction, line: visible(item.error), age: <Time at={item.parked} />, end: <Status item={item} />, waits: !item.retry })}
      detail={(item) => <ParkedDetail id={item} />} empty={t("parked.empty")} emptyHint={t("parked.emptyHint")}
    />
  );
}
