import { ActionIcon, Tooltip } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Crosshair } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { getAsset } from "./calls";
import type { Asset } from "../../shared/api/types";
import { Failed, Loading } from "../../shared/ui/States";
import { showPoint } from "../../console/map/controller";
import { useCan } from "../../console/session/session";
import { Panel, Section } from "../../console/shell/Panel";
import { useDesk } from "../../console/state/desk";
import { useLight } from "../../console/state/live";
import { useKind, useMunicipality } from "../../console/state/server";
import { HistorySection, historyPlace } from "./HistorySection";
import { Identity } from "./Identity";
import { ObjectJournal } from "./ObjectJournal";
import { kindWord } from "./kindWords";
import { Orders } from "./orders/Orders";
import { StateTable } from "./StateTable";
import { firstPoint } from "./state";
import { StatusLine } from "./StatusLine";

const pace = 2_000;

/** Asks for the whole asset again when its live state moved, but not at every message. */
function useFreshAsset(id: number, at: number | undefined): void {
  const client = useQueryClient();
  const last = useRef(0);
  useEffect(() => {
    if (at === undefined || Number.isNaN(at)) return;
    const wait = Math.max(0, last.current + pace - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      void client.invalidateQueries({ queryKey: ["asset", id] });
    }, wait);
    return () => clearTimeout(timer);
  }, [client, id, at]);
}

function Body({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const can = useCan();
  const kind = useKind(asset.kind);
  const chosen = useMemo(() => new Map(kind ? [[kind, [asset.id]]] : []), [kind, asset.id]);
  const [picked, setPicked] = useState<string | null>(null);
  const point = picked ?? firstPoint(kind);
  return (
    <>
      <Section title={t("asset.state")}>
        <StateTable
          asset={asset}
          onHistory={(name) => {
            setPicked(name);
            document.getElementById(historyPlace(asset.id))?.scrollIntoView({ block: "nearest" });
          }}
        />
      </Section>
      {can("control.command") && kind && kind.commands.length > 0 && (
        <Section title={t("asset.command")}><Orders key={asset.id} chosen={chosen} asset={asset} /></Section>
      )}
      {kind && kind.metrics.length > 0 && <HistorySection key={asset.id} asset={asset} kind={kind} point={point} onPoint={setPicked} />}
      <Section title={t("asset.identity")}><Identity asset={asset} /></Section>
      {can("journal.read") && <ObjectJournal id={asset.id} />}
    </>
  );
}

export default function AssetPanel({ id: asked }: { id: string }) {
  const id = Number(asked);
  const { t } = useTranslation();
  const municipality = useMunicipality();
  const light = useLight(id);
  const asset = useQuery({ queryKey: ["asset", id], queryFn: () => getAsset(id), placeholderData: keepPreviousData });
  useFreshAsset(id, light?.at);
  const data = asset.data?.id === id ? asset.data : undefined;

  return (
    <Panel
      testId="asset-panel" object={{ type: "twin.asset", id: asked }}
      title={data?.name ?? t("asset.light", { id })}
      subtitle={data && [kindWord(data.kind), data.street, data.municipality && municipality(data.municipality)].filter(Boolean).join(" · ")}
      onClose={() => useDesk.getState().closePanel({ kind: "asset", id })}
      actions={data && (
        <Tooltip label={t("asset.show")}>
          <ActionIcon variant="subtle" color="gray" aria-label={t("asset.show")} onClick={() => showPoint(data.point, 18)}><Crosshair size={16} /></ActionIcon>
        </Tooltip>
      )}
    >
      {data ? <><StatusLine asset={data} /><Body key={data.id} asset={data} /></>
        : asset.isError ? <Failed error={asset.error} retry={() => void asset.refetch()} />
        : <Loading rows={9} />}
    </Panel>
  );
}
