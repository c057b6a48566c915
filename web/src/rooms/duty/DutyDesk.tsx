/** Who is on call, for what, and until when: functions as a list, each with its rota and its hand-overs. */
import { Button, Group, Select, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, Plain, StateBadge, Time } from "../../console/frame";
import { Refusal } from "../../console/session/Refusal";
import { useCan } from "../../console/session/session";
import { useFormat } from "../../console/state/server";
import { explain, word } from "../../shared/i18n/words";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { Teams } from "./Teams";
import { type Rota, handOver, listFunctions, listHandOvers, listOnCall, readRota } from "./calls";

const key = ["duty"];
const week = 7 * 86_400_000;

interface Row {
  id: string;
  name: string;
  people: string;
  enough: boolean;
}

/** Last midnight: what is asked stays the same for a day. */
const midnight = () => new Date(new Date().setHours(0, 0, 0, 0));

function useRota(id: string) {
  const [from] = useState(midnight);
  return useQuery({ queryKey: [...key, "rota", id], queryFn: () => readRota(id, from, new Date(from.getTime() + week)), refetchInterval: 60_000 });
}

function HandOverForm({ rota }: { rota: Rota }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [giver, setGiver] = useState<string | null>(null);
  const [taker, setTaker] = useState<string | null>(null);
  const [note, setNote] = useState("");
  const give = useMutation({
    mutationFn: () => handOver({ function: rota.function.id, giver: giver ?? "", taker: taker ?? "", note: note.trim() }),
    onSuccess: () => {
      setNote("");
      setGiver(null);
      setTaker(null);
      return client.invalidateQueries({ queryKey: key });
    },
  });
  const people = rota.members.filter(({ active }) => active).map(({ id, name }) => ({ value: id, label: visible(name) }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        give.mutate();
      }}
    >
      <Group grow mb={8}>
        <Select size="xs" searchable label={t("duty.giver")} data={people} value={giver} onChange={setGiver} data-testid="giver" />
        <Select size="xs" searchable label={t("duty.taker")} data={people} value={taker} onChange={setTaker} data-testid="taker" />
      </Group>
      <Textarea size="xs" autosize minRows={2} maxLength={4000} label={t("duty.note")} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      {give.isError && <Refusal>{explain(give.error)}</Refusal>}
      <Button mt={8} size="xs" type="submit" disabled={!giver || !taker || giver === taker} loading={give.isPending} data-testid="hand-over">{t("duty.handOver")}</Button>
    </form>
  );
}

function FunctionPanel({ id }: { id: string }) {
  const { t } = useTranslation();
  const can = useCan();
  const format = useFormat();
  const rota = useRota(id);
  const [month] = useState(() => new URLSearchParams({ from: midnight().toISOString(), to: new Date(midnight().getTime() + 4 * week).toISOString() }).toString());
  const past = useQuery({ queryKey: [...key, "past", id], queryFn: () => listHandOvers(id) });
  if (!rota.data) return rota.isError ? <Failed error={rota.error} retry={() => void rota.refetch()} /> : <Loading />;
  const { function: fn, spans, faults, members } = rota.data;
  const names = new Map(members.map((member) => [member.id, visible(member.name)]));
  const named = (ids: readonly string[]) => ids.map((one) => names.get(one) ?? "?").join(", ") || t("duty.nobody");
  return (
    <DetailPanel title={visible(fn.name)} subtitle={fn.hours || t("duty.always")} object={{ type: "duty.function", id }} testId="duty-detail">
      {faults.length > 0 && (
        <DetailSection title={t("duty.faults")}>
          {faults.map((fault, n) => <p key={n}><StateBadge tone="attention" word={word("dutyFault", fault.kind)} /> {format.dateTime(fault.start)} – {format.dateTime(fault.end)}</p>)}
        </DetailSection>
      )}
      <DetailSection title={t("duty.rota")} end={<Button component="a" size="compact-xs" variant="default" download href={`/api/v1/duty/functions/${id}/rota.ics?${month}`}>{t("duty.calendar")}</Button>}>
        {spans.length === 0 ? <Empty title={t("duty.noRota")} /> : <Facts facts={spans.map((span) => ({ label: named(span.members), value: format.dateTime(span.start), age: format.dateTime(span.end) }))} />}
      </DetailSection>
      {can("duty.manage") && <DetailSection title={t("duty.handOver")}><HandOverForm rota={rota.data} /></DetailSection>}
      <DetailSection title={t("duty.past")}>
        {past.data?.map((one) => <div key={one.id}><Time at={one.at} /> {visible(one.giver.name)} → {visible(one.taker.name)}{one.note && <Plain text={one.note} />}</div>)}
      </DetailSection>
    </DetailPanel>
  );
}

export default function DutyDesk() {
  const { t } = useTranslation();
  const load = useCallback(async () => {
    const [functions, onCall] = await Promise.all([listFunctions(), listOnCall()]);
    const now = new Map(onCall.map((one) => [one.function.id, one]));
    const items = functions.map((fn): Row => {
      const one = now.get(fn.id);
      return { id: fn.id, name: visible(fn.name), people: one?.people.map(({ name, phone }) => visible([name, phone].filter(Boolean).join(" "))).join(", ") ?? "", enough: one?.enough ?? true };
    });
    return { items, next: null, total: items.length, total_at_least: null };
  }, []);
  const state = useCallback((row: Row) => (row.people ? <StateBadge tone={row.enough ? "done" : "attention"} word={t(row.enough ? "duty.enough" : "duty.tooFew")} /> : <StateBadge tone={row.enough ? "quiet" : "critical"} word={t("duty.nobody")} />), [t]);
  const columns = useMemo((): Column<Row>[] => [
    { key: "name", title: t("duty.function"), width: "minmax(160px, 1fr)", cell: (row) => <span data-testid="duty-row">{row.name}</span> },
    { key: "people", title: t("duty.now"), width: "minmax(160px, 2fr)", cell: (row) => row.people },
    { key: "state", title: t("duty.state"), width: "150px", cell: state },
  ], [t, state]);
  return (
    <ListPage
      title={t("desk.duty")} path="/duty" queryKey={[...key, "functions"]} load={load} id={(row) => row.id} columns={columns} every={30_000}
      queue={(row) => ({ title: row.name, line: row.people, age: "", end: state(row), waits: !row.enough })}
      detail={(id) => <FunctionPanel id={id} />} head={<Teams />} empty={t("duty.empty")} emptyHint={t("duty.emptyHint")}
    />
  );
}

