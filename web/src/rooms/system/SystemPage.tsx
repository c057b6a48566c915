import { useTranslation } from "react-i18next";
import type { System } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { useCan } from "../../console/session/session";
import { Sheet } from "../../console/shell/Sheet";
import { useFormat } from "../../console/state/server";
import { Adapters } from "./Adapters";
import { Gateways } from "./Gateways";
import { Processes } from "./Processes";
import { Status } from "./Status";
import classes from "./System.module.css";
import { useSystem } from "./live";

function Admission({ admission }: { admission: System["admission"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  // Who sees a part of the city is not told how full the whole city's buffer is.
  const { stream_bytes: used, stream_limit: limit } = admission;
  const share = used !== undefined && limit ? used / limit : 0;
  return (
    <div className={classes["admission"]} data-testid="admission" data-open={admission.open}>
      <Status status={admission.open ? "ok" : "down"} word={t(admission.open ? "system.admissionOpen" : "system.admissionClosed")} />
      {admission.code && <span>{word("detail", admission.code)}</span>}
      {used !== undefined && limit !== undefined && (
        <>
          <div className={classes["gauge"]} role="meter" aria-valuemin={0} aria-valuemax={1} aria-valuenow={share} aria-label={t("system.stream")}>
            <span style={{ width: `${Math.min(100, share * 100)}%` }} data-full={share > 0.8 || undefined} />
          </div>
          <span className={classes["detail"]}>{t("system.streamUse", { used: format.bytes(used), limit: format.bytes(limit) })}</span>
        </>
      )}
    </div>
  );
}

export default function SystemPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const can = useCan();
  const system = useSystem();
  const data = system.data;
  return (
    <Sheet title={t("desk.system")} tools={data && <Status status={data.status} />}>
      {system.isError && data && <p className={classes["old"]} role="alert">{t("system.old")}</p>}
      {data ? (
        <div className={classes["page"]}>
          <section><h2>{t("system.components")}</h2><Processes components={data.components} /></section>
          <section><h2>{t("system.admission")}</h2><Admission admission={data.admission} /></section>
          {can("gateways.read") && <section><h2>{t("adapter.title")}</h2><Adapters /></section>}
          {can("gateways.read") && <section><h2>{t("system.gateways")}</h2><Gateways /></section>}
          <section>
            <h2>{t("system.versions")}</h2>
            <dl className={classes["versions"]}>
              {Object.entries(data.versions).map(([name, version]) => <div key={name}><dt>{word("component", name)}</dt><dd>{version}</dd></div>)}
              {data.disk_free_bytes !== undefined && (
                <div><dt>{t("system.disk")}</dt><dd>{t("system.diskFree", { free: format.bytes(data.disk_free_bytes) })}</dd></div>
              )}
            </dl>
          </section>
        </div>
      ) : system.isError ? <Failed error={system.error} retry={() => void system.refetch()} /> : <Loading />}
    </Sheet>
  );
}
