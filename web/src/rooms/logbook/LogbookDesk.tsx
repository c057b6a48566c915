/** The room's log: what happened in the shift, what is to be followed up, and the hand-over. */
import { Button, Checkbox, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, Plain, StateBadge, Time, VerbButton, savedViews } from "../../console/frame";
import { Refusal } from "../../console/session/Refusal";
import { useCan } from "../../console/session/session";
import { useFormat } from "../../console/state/server";
import { explain, word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import classes from "./LogbookDesk.module.css";
import { ShiftBar } from "./Shift";
import { type LogEntry, correctEntry, exportOf, getEntry, listEntries, listOpen, writeEntry } from "./calls";

const views = savedViews("logbook.entries");
const id = (entry: LogEntry) => entry.id;
const said = (entry: LogEntry) => visible(entry.text || word("act", entry.act, entry.params));
const who = (entry: LogEntry) => visible(entry.unit || entry.author);
const number = (entry: LogEntry) => `${entry.shift_number}.${entry.number}`;

function Write() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [followUp, setFollowUp] = useState(false);
  const write = useMutation({
    mutationFn: () => writeEntry(text.trim(), followUp),
    onSuccess: () => {
      setText("");
      setFollowUp(false);
      void client.invalidateQueries({ queryKey: ["logbook"] });
    },
  });
  const send = () => {
    if (text.trim() && !write.isPending) write.mutate();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    send();
  };
  return (
    <div className={classes["write"]}>
      <Textarea
        className={classes["text"] ?? ""} label={t("logbook.write")} placeholder={t("logbook.placeholder")} autosize minRows={1} maxRows={6} maxLength={4000}
        value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={key} data-testid="log-text"
      />
      <Checkbox label={t("logbook.followUp")} checked={followUp} onChange={(event) => setFollowUp(event.currentTarget.checked)} />
      <Button onClick={send} disabled={!text.trim()} loading={write.isPending} data-testid="log-write">{t("logbook.add")}</Button>
      {write.isError && <Refusal>{explain(write.error)}</Refusal>}
    </div>
  );
}

function useSettled(): ReadonlySet<string> | null {
  const { data } = useQuery({ queryKey: ["logbook", "open"], queryFn: listOpen });
  return useMemo(() => (data ? new Set(data.map(id)) : null), [data]);
}

function State({ entry, open }: { entry: LogEntry; open: ReadonlySet<string> | null }) {
  const { t } = useTranslation();
  if (entry.of) return <StateBadge tone="done" word={t(entry.settles ? "logbook.settles" : "logbook.corrects")} />;
  if (!entry.follow_up || !open) return null;
  return open.has(entry.id) ? <StateBadge tone="attention" word={t("logbook.toFollow")} /> : <StateBadge tone="done" word={t("logbook.settled")} />;
}

function EntryDetail({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const open = useSettled();
  const { data, isError, error, refetch } = useQuery({ queryKey: ["logbook", "entry", asked], queryFn: () => getEntry(asked) });
  if (!data) return isError ? <Failed error={error} retry={() => void refetch()} /> : <Loading />;
  const again = () => void client.invalidateQueries({ queryKey: ["logbook"] });
  return (
    <DetailPanel
      title={t("logbook.entry", { number: number(data) })} subtitle={<>{who(data)} · <Time at={data.at} /></>} state={<State entry={data} open={open} />}
      object={{ type: "logbook.entry", id: data.id }} testId="log-entry"
      verbs={(
        <>
          {open?.has(data.id) && (
            <VerbButton label={t("logbook.settle")} permission="logbook.write" needsLive={false} primary hotkey="s" testId="settle" demands={{ reason: true }} run={({ reason }) => correctEntry(data.id, reason, true)} onDone={again} />
          )}
          <VerbButton label={t("logbook.correct")} permission="logbook.write" needsLive={false} hotkey="e" testId="correct" demands={{ reason: true }} run={({ reason }) => correctEntry(data.id, reason, false)} onDone={again} />
        </>
      )}
    >
      <DetailSection title={t("logbook.what")}><Plain text={said(data)} /></DetailSection>
      <Facts facts={[{ label: t("logbook.at"), value: <Time at={data.at} as="exact" /> }, { label: t("logbook.recorded"), value: <Time at={data.recorded} as="exact" /> }]} />
    </DetailPanel>
  );
}

export default function LogbookDesk() {
  const { t, i18n } = useTranslation();
  const can = useCan();
  const format = useFormat();
  const open = useSettled();
  const load = useCallback(({ filter, sort, cursor, limit }: ListQuery) => listEntries({ filter, cursor, limit, ...(sort ? { sort } : {}) }), []);
  const columns = useMemo<Column<LogEntry>[]>(() => [
    { key: "number", title: t("logbook.number"), width: "72px", from: 560, cell: (entry) => <span className={classes["number"]}>{number(entry)}</span> },
    { key: "at", title: t("logbook.at"), width: "152px", sort: "at", cell: (entry) => <span className={classes["quiet"]}>{format.dateTime(entry.at)}</span> },
    { key: "who", title: t("logbook.who"), width: "140px", from: 700, cell: (entry) => <span className={classes["quiet"]}>{who(entry)}</span> },
    { key: "what", title: t("logbook.what"), width: "minmax(200px, 3fr)", cell: (entry) => <span data-testid="log-row">{said(entry)}</span> },
    { key: "state", title: t("logbook.state"), width: "120px", cell: (entry) => <State entry={entry} open={open} /> },
  ], [t, format, open]);
  return (
    <ListPage
      title={t("desk.logbook")} path="/logbook" queryKey={["logbook"]} load={load} id={id} columns={columns} initialSort="-at"
      queue={(entry) => ({ title: said(entry), line: who(entry), age: <Time at={entry.at} />, end: <State entry={entry} open={open} />, waits: open?.has(entry.id) ?? false })}
      detail={(entry) => <EntryDetail id={entry} />} filter={{ placeholder: t("logbook.filter") }} exportHref={(query) => exportOf(query, i18n.language)}
      views={views} tools={<ShiftBar />} head={can("logbook.write") && <Write />} empty={t("logbook.empty")} emptyHint={t("logbook.emptyHint")}
    />
  );
}
