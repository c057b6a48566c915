import { Checkbox, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { type Column, DetailPanel, ListPage, type ListQuery, Time, savedViews } from "../../console/frame";
import { readState, writeState } from "../../console/frame/listState";
import { useSession } from "../../console/session/session";
import { useFormat } from "../../console/state/server";
import type { JournalEntry } from "../../shared/api/types";
import { fieldOf, withField } from "../../shared/filter";
import { word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { Entry } from "./Entry";
import classes from "./JournalPage.module.css";
import { actParts, partWord } from "./acts";
import { getJournal, getJournalEntry } from "./calls";
import { actOf, actorOf } from "./wording";

const id = (entry: JournalEntry) => entry.id;

/** Parts of the house, as a term of the filter. */
function PartSelect() {
  const { t } = useTranslation();
  const [path, navigate] = useLocation();
  const search = useSearch();
  const state = readState(search);
  return (
    <Select
      w={200} size="xs" clearable aria-label={t("journal.kind")} placeholder={t("journal.all")} value={fieldOf(state.filter, "act")} data={actParts()}
      onChange={(part) => navigate(path + writeState(search, { ...state, filter: withField(state.filter, "act", part) }), { replace: true })}
    />
  );
}

const recent = 500;

/** Those who acted lately, as a term of the filter. */
function PersonSelect() {
  const { t } = useTranslation();
  const [path, navigate] = useLocation();
  const search = useSearch();
  const state = readState(search);
  const lately = useQuery({ queryKey: ["journal", "people"], queryFn: () => getJournal({ limit: recent }), staleTime: 60_000 });
  const value = fieldOf(state.filter, "actor");
  const names = new Set(lately.data?.items.flatMap(({ actor }) => (actor.name && actor.kind !== "system" ? [actor.name] : [])));
  if (value) names.add(value);
  return (
    <Select
      w={160} size="xs" clearable searchable aria-label={t("journal.person")} placeholder={t("journal.anybody")} value={value} data={[...names].sort((a, b) => a.localeCompare(b))} data-testid="journal-person"
      onChange={(name) => navigate(path + writeState(search, { ...state, filter: withField(state.filter, "actor", name) }), { replace: true })}
    />
  );
}

function EntryDetail({ id: entry }: { id: string }) {
  const format = useFormat();
  const found = useQuery({ queryKey: ["journal", entry, "entry"], queryFn: () => getJournalEntry(entry) });
  if (!found.data) return found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />;
  const { data } = found;
  return (
    <DetailPanel title={actOf(data)} subtitle={`${actorOf(data)} · ${format.dateTime(data.occurred)}`} testId="journal-detail">
      <ol className={classes["whole"]}><Entry entry={data} opened /></ol>
    </DetailPanel>
  );
}

const views = savedViews("journal.entries");

export default function JournalPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const { user } = useSession();
  const [mine, setMine] = useState(false);
  const load = useCallback(
    ({ filter, sort, cursor, limit }: ListQuery) => getJournal({ filter, actor: mine ? user.id : null, cursor, limit, ...(sort ? { sort } : {}) }),
    [mine, user.id],
  );
  const columns = useMemo((): Column<JournalEntry>[] => [
    { key: "when", title: t("journal.when"), width: "152px", sort: "recorded", cell: ({ occurred }) => <span className={classes["quiet"]}>{format.dateTime(occurred)}</span> },
    { key: "who", title: t("journal.who"), width: "minmax(90px, 160px)", from: 480, cell: actorOf },
    {
      key: "what", title: t("journal.what"), width: "minmax(160px, 2fr)",
      cell: (entry) => (
        <span data-testid="journal-entry" data-act={entry.act}>
          {actOf(entry)}{entry.reason && <span className={classes["quiet"]}> · {visible(entry.reason)}</span>}
        </span>
      ),
    },
    { key: "changes", title: t("journal.objectsColumn"), width: "72px", align: "end", from: 640, cell: ({ changes_count: count }) => (count > 0 ? format.number(count) : "") },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.journal")} path="/journal" queryKey={["journal", mine]} load={load} id={id} columns={columns} every={10_000} initialSort="-recorded" views={views}
      filter={{
        placeholder: t("journal.filterPlaceholder"), time: "occurred",
        words: (field, value) => (field === "act" ? partWord(value) : field === "actor" ? value : field === "object" ? objectWord(value) : null),
      }}
      queue={(entry) => ({ title: actOf(entry), age: <Time at={entry.occurred} />, line: [actorOf(entry), entry.reason && visible(entry.reason)].filter(Boolean).join(" · ") })}
      detail={(entry) => <EntryDetail id={entry} />} empty={t("journal.empty")}
      tools={(
        <>
          <Checkbox size="xs" label={t("journal.mine")} checked={mine} onChange={(event) => setMine(event.currentTarget.checked)} />
          <PersonSelect />
          <PartSelect />
        </>
      )}
    />
  );
}

function objectWord(value: string): string {
  const [type = "", id = ""] = value.split("/");
  return `${word("objectType", type)} ${id}`;
}
