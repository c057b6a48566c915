/** Call cascades: one after another is called until someone answers. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, ObjectJournal, StateBadge, Time, type Tone, VerbButton, savedViews } from "../../console/frame";
import { useFormat } from "../../console/state/server";
import { word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { MessageState } from "./MessagesPage";
import { type Cascade, acknowledgeCascade, cancelCascade, exportOf, getCascade, listCascades } from "./calls";

const key = ["notify", "cascades"];
const views = savedViews("notify.cascades");
const id = (cascade: Cascade) => cascade.id;
const tones: Record<string, Tone> = { running: "attention", acknowledged: "done", exhausted: "critical", cancelled: "quiet" };

function State({ cascade }: { cascade: Cascade }) {
  return <StateBadge tone={tones[cascade.state] ?? "quiet"} word={word("cascadeState", cascade.state)} />;
}

function CascadePanel({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const found = useQuery({ queryKey: [...key, asked], queryFn: () => getCascade(asked), refetchInterval: 3_000 });
  if (!found.data) return found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />;
  const { cascade, steps, messages, possible } = found.data;
  const again = () => void client.invalidateQueries({ queryKey: key });
  return (
    <DetailPanel
      title={word("template", cascade.template)} subtitle={<Time at={cascade.created} />} state={<State cascade={cascade} />} testId="cascade-detail"
      verbs={(
        <>
          {possible.includes("acknowledge") && <VerbButton label={t("notify.acknowledge")} permission="notify.acknowledge" primary hotkey="a" needsLive={false} run={() => acknowledgeCascade(cascade.id)} onDone={again} />}
          {possible.includes("cancel") && <VerbButton label={t("notify.stop")} permission="notify.send" hotkey="x" needsLive={false} run={() => cancelCascade(cascade)} onDone={again} />}
        </>
      )}
    >
      {cascade.acknowledged_by && <p>{t("notify.answeredBy", { name: visible(cascade.acknowledged_by) })}</p>}
      <DetailSection title={t("notify.steps")}>
        <Facts facts={steps.map((step) => ({
          label: `${step.ordinal + 1}. ${step.role || t("notify.someone")}`,
          value: word("cascadeOutcome", step.outcome), age: step.at ? <Time at={step.at} /> : t("notify.waits", { count: step.wait_s }),
        }))} />
      </DetailSection>
      <DetailSection title={t("desk.messages")}>
        <Facts facts={messages.map((message) => ({ label: visible(message.name), value: <MessageState message={message} />, age: word("channel", message.channel) }))} />
      </DetailSection>
      <ObjectJournal type="notify.cascade" id={cascade.id} />
    </DetailPanel>
  );
}

export default function CascadesPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const load = useCallback((query: ListQuery) => listCascades(query), []);
  const columns = useMemo((): Column<Cascade>[] => [
    { key: "created", title: t("notify.created"), width: "152px", sort: "created", cell: (cascade) => format.dateTime(cascade.created) },
    { key: "template", title: t("notify.kind"), width: "minmax(160px, 1fr)", sort: "template", cell: (cascade) => word("template", cascade.template) },
    { key: "by", title: t("notify.answered"), width: "minmax(140px, 1fr)", from: 640, cell: (cascade) => visible(cascade.acknowledged_by ?? "") },
    { key: "state", title: t("notify.state"), width: "140px", sort: "state", cell: (cascade) => <State cascade={cascade} /> },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.cascades")} path="/cascades" queryKey={key} load={load} id={id} columns={columns} initialSort="-created" every={5_000} views={views}
      filter={{
        placeholder: t("notify.filter"), chips: [{ label: word("cascadeState", "running"), filter: "state:running" }],
        words: (field, value) => (field === "state" ? word("cascadeState", value) : null),
      }}
      exportHref={exportOf("cascades")} empty={t("notify.noCascade")} emptyHint={t("notify.noCascadeHint")}
      queue={(cascade) => ({ title: word("template", cascade.template), line: visible(cascade.acknowledged_by ?? ""), age: <Time at={cascade.created} />, end: <State cascade={cascade} />, waits: cascade.state === "running" })}
      detail={(cascade) => <CascadePanel id={cascade} />}
    />
  );
}
