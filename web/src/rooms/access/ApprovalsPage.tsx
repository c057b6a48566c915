/** Acts that wait for a second person: those that one may decide, and one's own. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, Plain, StateBadge, Time, VerbButton } from "../../console/frame";
import { decideApproval, listApprovals } from "../../console/session/calls";
import { useSession } from "../../console/session/session";
import { useFormat, useMunicipality } from "../../console/state/server";
import type { Approval } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";

const key = ["approvals"];
const id = (one: Approval) => one.id;
const act = (one: Approval) => word("act", one.act, one.params);
const object = (one: Approval) => `${word("objectType", one.object_type)} ${visible(one.object_id)}`;

function State({ one }: { one: Approval }) {
  const { t } = useTranslation();
  const me = useSession().user.id;
  if (one.done) return <StateBadge tone="done" word={t("approvals.done")} />;
  if (one.decision === "approved") return <StateBadge tone="done" word={t("approvals.approved")} />;
  if (one.decision === "refused") return <StateBadge tone="quiet" word={t("approvals.refused")} />;
  return one.asked_by === me ? <StateBadge tone="active" word={t("approvals.waits")} /> : <StateBadge tone="attention" word={t("approvals.waitsForMe")} />;
}

function ApprovalPanel({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const me = useSession().user.id;
  const municipality = useMunicipality();
  const client = useQueryClient();
  const list = useQuery({ queryKey: [...key, "all"], queryFn: listApprovals, refetchInterval: 5_000 });
  if (!list.data) return list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : <Loading />;
  const one = list.data.find((candidate) => candidate.id === asked);
  if (!one) return <Empty title={t("approvals.gone")} hint={t("approvals.goneHint")} />;
  const again = () => void client.invalidateQueries({ queryKey: key });
  const verb = (decision: "approve" | "refuse" | "withdraw", primary = false) => (
    <VerbButton label={t(`signin.${decision}`)} permission={one.permission} primary={primary} needsLive={false} testId={`approval-${decision}`} run={() => decideApproval(one.id, decision)} onDone={again} />
  );
  return (
    <DetailPanel
      title={act(one)} subtitle={<>{t("signin.askedBy", { name: visible(one.asked_by_name) })} · <Time at={one.asked} /></>} state={<State one={one} />} testId="approval-detail"
      verbs={one.decision === null && (one.asked_by === me ? verb("withdraw") : <>{verb("approve", true)}{verb("refuse")}</>)}
    >
      <DetailSection title={t("approvals.what")}>
        <Facts facts={[
          { label: t("approvals.object"), value: object(one) },
          ...(one.municipality ? [{ label: t("approvals.place"), value: municipality(one.municipality) }] : []),
          ...Object.entries(one.params).map(([label, value]) => ({ label, value: visible(typeof value === "string" ? value : JSON.stringify(value)) })),
          { label: t("approvals.until"), value: <Time at={one.expires} as="exact" /> },
        ]} />
      </DetailSection>
      {one.reason && <DetailSection title={t("approvals.reason")}><Plain text={one.reason} /></DetailSection>}
    </DetailPanel>
  );
}

export default function ApprovalsPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const load = useCallback(async () => {
    const items = await listApprovals();
    return { items, next: null, total: items.length, total_at_least: null };
  }, []);
  const columns = useMemo((): Column<Approval>[] => [
    { key: "asked", title: t("approvals.asked"), width: "152px", cell: (one) => format.dateTime(one.asked) },
    { key: "act", title: t("approvals.act"), width: "minmax(160px, 1fr)", cell: (one) => <span data-testid="approval-row">{act(one)}</span> },
    { key: "object", title: t("approvals.object"), width: "minmax(140px, 1fr)", from: 640, cell: object },
    { key: "by", title: t("approvals.by"), width: "150px", from: 800, cell: (one) => visible(one.asked_by_name) },
    { key: "state", title: t("approvals.state"), width: "170px", cell: (one) => <State one={one} /> },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.approvals")} path="/approvals" queryKey={key} load={load} id={id} columns={columns} every={5_000} intro={t("approvals.intro")}
      queue={(one) => ({ title: act(one), line: object(one), age: <Time at={one.asked} />, end: <State one={one} />, waits: one.decision === null })}
      detail={(one) => <ApprovalPanel id={one} />} empty={t("approvals.empty")} emptyHint={t("approvals.emptyHint")}
    />
  );
}
