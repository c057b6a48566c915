/** Messages to people: to whom, by which way, and what became of them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, Plain, StateBadge, Time, type Tone, VerbButton, savedViews } from "../../console/frame";
import { useFormat } from "../../console/state/server";
import { word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { type Message, cancelMessage, exportOf, getMessage, listMessages, writeOutcome } from "./calls";

const key = ["notify", "messages"];
const views = savedViews("notify.messages");
const id = (message: Message) => message.id;
const tones: Record<string, Tone> = { queued: "quiet", sending: "active", sent: "active", delivered: "done", failed: "attention", cancelled: "quiet" };

export function MessageState({ message }: { message: Message }) {
  return <StateBadge tone={tones[message.state] ?? "quiet"} word={word("messageState", message.state)} />;
}

function MessagePanel({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  // That its words were read is an act in the journal: once is enough.
  const found = useQuery({ queryKey: [...key, asked], queryFn: () => getMessage(asked), staleTime: 60_000 });
  if (!found.data) return found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />;
  const { message, subject, body, possible, provider_id } = found.data;
  const again = () => void client.invalidateQueries({ queryKey: key });
  return (
    <DetailPanel
      title={visible(message.name)} subtitle={<>{word("template", message.template)} · <Time at={message.created} /></>} state={<MessageState message={message} />} testId="message-detail"
      verbs={(
        <>
          {possible.includes("outcome") && (
            <>
              <VerbButton label={t("notify.reached")} permission="notify.send" primary needsLive={false} run={() => writeOutcome(message, true)} onDone={again} />
              <VerbButton label={t("notify.notReached")} permission="notify.send" needsLive={false} run={() => writeOutcome(message, false)} onDone={again} />
            </>
          )}
          {possible.includes("cancel") && <VerbButton label={t("notify.cancel")} permission="notify.send" hotkey="x" needsLive={false} testId="message-cancel" run={() => cancelMessage(message)} onDone={again} />}
        </>
      )}
    >
      <DetailSection title={t("notify.text")}><Plain text={[subject, body].filter(Boolean).join("\n\n")} /></DetailSection>
      <DetailSection title={t("notify.delivery")}>
        <Facts facts={[
          { label: t("notify.channel"), value: word("channel", message.channel) },
          { label: t("notify.due"), value: <Time at={message.due} as="exact" /> },
          ...(message.sent ? [{ label: t("notify.sent"), value: <Time at={message.sent} as="exact" /> }] : []),
          ...(message.delivered ? [{ label: t("notify.delivered"), value: <Time at={message.delivered} as="exact" /> }] : []),
          ...(message.error_code ? [{ label: t("notify.error"), value: word("messageError", message.error_code) }] : []),
          ...(message.maybe_twice ? [{ label: t("notify.note"), value: t("notify.maybeTwice") }] : []),
          ...(provider_id ? [{ label: t("notify.provider"), value: provider_id }] : []),
        ]} />
      </DetailSection>
    </DetailPanel>
  );
}

export default function MessagesPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const load = useCallback((query: ListQuery) => listMessages(query), []);
  const columns = useMemo((): Column<Message>[] => [
    { key: "created", title: t("notify.created"), width: "152px", sort: "created", cell: (message) => format.dateTime(message.created) },
    { key: "name", title: t("notify.to"), width: "minmax(140px, 1fr)", cell: (message) => <span data-testid="message-row">{visible(message.name)}</span> },
    { key: "template", title: t("notify.kind"), width: "minmax(140px, 1fr)", sort: "template", from: 560, cell: (message) => word("template", message.template) },
    { key: "channel", title: t("notify.channel"), width: "120px", sort: "channel", from: 700, cell: (message) => word("channel", message.channel) },
    { key: "error", title: t("notify.error"), width: "minmax(120px, 1fr)", from: 900, cell: (message) => (message.error_code ? word("messageError", message.error_code) : "") },
    { key: "state", title: t("notify.state"), width: "130px", sort: "state", cell: (message) => <MessageState message={message} /> },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.messages")} path="/messages" queryKey={key} load={load} id={id} columns={columns} initialSort="-created" every={5_000} views={views}
      filter={{
        placeholder: t("notify.filter"),
        chips: ["failed", "queued"].map((state) => ({ label: word("messageState", state), filter: `state:${state}` })),
        words: (field, value) => (field === "state" ? word("messageState", value) : field === "channel" ? word("channel", value) : null),
      }}
      exportHref={exportOf("messages")} empty={t("notify.empty")} emptyHint={t("notify.emptyHint")}
      queue={(message) => ({ title: visible(message.name), line: word("template", message.template), age: <Time at={message.created} />, end: <MessageState message={message} />, waits: message.state === "failed" })}
      detail={(message) => <MessagePanel id={message} />}
    />
  );
}
