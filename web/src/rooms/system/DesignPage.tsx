import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { DetailSection, Facts, Plain, Queue, StateBadge, Time, type Tone, VerbButton } from "../../console/frame";
import { Sheet } from "../../console/shell/Sheet";
import { useNow } from "../../console/state/live";
import { useFormat } from "../../console/state/server";
import { ApiError } from "../../shared/api/errors";
import { colour, size } from "../../shared/tokens";
import { Shape, type Sign } from "../../shared/ui/Shape";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import classes from "./DesignPage.module.css";

const tones: readonly Tone[] = ["quiet", "active", "done", "attention", "critical"];
const signs: readonly Sign[] = ["normal", "silent", "retired", "supply", "lamp", "fault", "unexpected", "pending"];
const ids = ["1", "2", "3"];
const later = () => new Promise((resolve) => setTimeout(resolve, 800));

function Verbs() {
  const { t } = useTranslation();
  const shared = { permission: "core.system", needsLive: false, done: t("design.done") };
  return (
    <div className={classes["verbs"]}>
      <VerbButton {...shared} label={t("design.verbPlain")} primary run={later} />
      <VerbButton {...shared} label={t("design.verbAsks")} demands={{ reason: true }} reasons={[t("design.usual")]} run={later} />
      <VerbButton {...shared} label={t("design.verbConfirms")} demands={{ confirm: t("design.confirm") }} run={later} />
      <VerbButton {...shared} label={t("design.verbRefused")} refused={t("design.refusedWords")} run={later} />
      <VerbButton {...shared} label={t("design.verbForbidden")} permission="" run={later} />
      <VerbButton {...shared} label={t("design.verbFails")} run={() => later().then(() => Promise.reject(new ApiError(0, "offline", {})))} />
    </div>
  );
}

function Waiting() {
  const { t } = useTranslation();
  const grid = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(0);
  const now = useNow();
  return (
    <div className={classes["queue"]}>
      <Queue
        gridRef={grid} items={ids} ids={ids} current={open} more={undefined} label={t("design.queue")} open={ids[open] ?? null} onOpen={setOpen} waiting={3}
        row={(n) => ({ title: t("design.row_n", { n }), line: t("design.textSecond"), age: <Time at={now - Number(n) * 60_000} />, waits: n === "1", mark: <Shape condition={n === "1" ? "supply" : "fault"} /> })}
      />
    </div>
  );
}

/** Tokens, states and components, live: what is drawn here is what the desks use. */
export default function DesignPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const [moment] = useState(() => Date.now() - 95_000);
  return (
    <Sheet title={t("desk.design")}>
      <div className={classes["page"]} data-testid="design-page">
        <p className={classes["intro"]}>{t("design.intro")}</p>
        <DetailSection title={t("design.colours")}>
          <ul className={classes["swatches"]}>
            {Object.entries(colour).map(([name, value]) => <li key={name}><span style={{ background: value }} /><code>{name}</code><code>{value}</code></li>)}
          </ul>
        </DetailSection>
        <DetailSection title={t("design.sizes")}>
          <Facts facts={Object.entries(size).map(([name, value]) => ({ label: name, value: format.quantity(value, "px") }))} />
        </DetailSection>
        <DetailSection title={t("design.text")}>
          <p className={classes["title"]}>{t("design.textTitle")}</p>
          <p className={classes["body"]}>{t("design.textBody")}</p>
          <p className={classes["second"]}>{t("design.textSecond")}</p>
        </DetailSection>
        <DetailSection title={t("design.conditions")}>
          <ul className={classes["signs"]}>{signs.map((sign) => <li key={sign}><Shape condition={sign} />{t(`condition.${sign}`)}</li>)}</ul>
        </DetailSection>
        <DetailSection title={t("design.badges")}>
          <ul className={classes["signs"]}>
            {tones.map((tone) => <li key={tone}><StateBadge tone={tone} word={tone} /></li>)}
            <li><StateBadge tone="attention" word="stale" stale /></li>
          </ul>
        </DetailSection>
        <DetailSection title={t("design.buttons")}><Verbs /></DetailSection>
        <DetailSection title={t("design.age")}>
          <Facts facts={[{ label: "age", value: <Time at={moment} /> }, { label: "exact", value: <Time at={moment} as="exact" /> }]} />
        </DetailSection>
        <DetailSection title={t("design.queue")}><Waiting /></DetailSection>
        <DetailSection title={t("design.plain")}><Plain text={t("design.lines")} /></DetailSection>
        <DetailSection title={t("design.states")}>
          <div className={classes["states"]}>
            <Loading rows={3} />
            <Empty title={t("design.empty")} hint={t("design.emptyHint")} />
            <Failed error={new ApiError(0, "offline", {})} retry={() => undefined} />
          </div>
        </DetailSection>
      </div>
    </Sheet>
  );
}
