import { Button, Kbd, Tooltip, UnstyledButton } from "@mantine/core";
import { Lasso, List, SquareDashedMousePointer, Undo2, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { SearchItem } from "../../shared/api/types";
import { Shape, type Sign } from "../../shared/ui/Shape";
import { Faults } from "../shell/Faults";
import { selectIn } from "../shell/verbs";
import { type Shown, type Street, useDesk } from "../state/desk";
import { useCounters, useLiveStatus } from "../state/live";
import { useFormat, usePromise } from "../state/server";
import classes from "./LayerChips.module.css";
import { LayerPicker } from "./LayerPicker";
import { useLayers } from "./layers";

const asPlace = ({ name, municipality }: Street): SearchItem => ({ type: "street", id: name, label: name, detail: municipality, point: [0, 0], bbox: null });

/** Legend, counters and switches of the map's layers in one place. */
export function LayerChips({ synthetic }: { synthetic: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const promise = usePromise();
  const counters = useCounters(promise);
  const { live } = useLiveStatus();
  const { lasso, set: setLayers } = useLayers();
  const { shown, toggleShown, boxTool, drawer, filter, listed, street, selection, recalled, recall, set } = useDesk();

  const failures: [Sign, number][] = [
    ["supply", counters.supply], ["lamp", counters.lamp], ["fault", counters.fault], ["unexpected", counters.unexpected],
  ];
  const chip = (what: keyof Shown, count: number, signs: Sign[], hint: string) => (
    <Tooltip label={hint} multiline maw={280}>
      <UnstyledButton
        className={classes["chip"]} aria-pressed={shown[what]} data-testid={`chip-${what}`} data-count={count}
        onClick={() => toggleShown(what)}
      >
        {signs.map((sign) => <Shape key={sign} condition={sign} />)}
        <span>{t(`chip.${what}`)}</span>
        <span className={classes["count"]}>{format.number(count)}</span>
      </UnstyledButton>
    </Tooltip>
  );
  const total = counters.supply + counters.lamp + counters.fault + counters.unexpected;
  const tools: [string, boolean, () => void, React.ReactNode, string?][] = [
    [t("tool.box"), boxTool, () => {
      set({ boxTool: !boxTool });
      setLayers({ lasso: false });
    }, <SquareDashedMousePointer key="box" size={16} />, "B"],
    [t("tool.lasso"), lasso, () => {
      setLayers({ lasso: !lasso });
      set({ boxTool: false });
    }, <Lasso key="lasso" size={16} />],
    [t("tool.list"), drawer, () => set({ drawer: !drawer }), <List key="list" size={16} />, "L"],
  ];

  return (
    <div className={classes["chips"]}>
      <div className={classes["row"]} data-live={live} role="group" aria-label={t("chip.label")}>
        {chip("normal", counters.normal, ["normal"], t("chip.normalHint"))}
        {chip("failures", total, ["lamp"], failures.map(([sign, count]) => `${t(`condition.${sign as "lamp"}`)} ${format.number(count)}`).join(" · "))}
        {chip("silent", counters.silent, ["silent"], t("chip.silentHint", { age: format.age(promise) }))}
        {chip("pending", counters.pending, ["pending"], t("chip.pendingHint"))}
        <LayerPicker />
        {tools.map(([label, on, press, icon, key]) => (
          <Tooltip key={label} label={key === undefined ? label : `${label} (${key})`}>
            <UnstyledButton className={classes["tool"]} aria-label={label} aria-pressed={on} aria-keyshortcuts={key} onClick={press}>{icon}</UnstyledButton>
          </Tooltip>
        ))}
        {synthetic && <span className={classes["synthetic"]} title={t("chip.syntheticHint")}>{t("chip.synthetic")}</span>}
      </div>
      {shown.failures && <Faults words />}
      {filter !== "" && !drawer && (
        <UnstyledButton className={`${classes["chip"]} ${classes["filter"]}`} aria-label={t("chip.clearFilter")} title={t("chip.clearFilter")} data-testid="chip-filter" onClick={() => set({ filter: "" })}>
          <span>{t("chip.filter", { filter })}</span>
          <X size={14} aria-hidden />
        </UnstyledButton>
      )}
      {listed && !drawer && (
        <UnstyledButton className={`${classes["chip"]} ${classes["filter"]}`} aria-label={t("chip.clearFilter")} title={t("chip.clearFilter")} data-testid="chip-listed" onClick={() => set({ listed: null })}>
          <span>{listed.title} {format.number(listed.ids.length)}</span>
          <X size={14} aria-hidden />
        </UnstyledButton>
      )}
      {street && (
        <span className={`${classes["chip"]} ${classes["filter"]}`} data-testid="street-found">
          <span>{street.name}, {street.municipality}</span>
          <Button size="compact-xs" variant="default" data-testid="street-select" onClick={() => selectIn(asPlace(street)).run()}>{t("street.select")}</Button>
          <UnstyledButton aria-label={t("street.leave")} title={t("street.leave")} onClick={() => set({ street: null })}><X size={14} aria-hidden /></UnstyledButton>
        </span>
      )}
      {recalled.size > 0 && selection.size === 0 && (
        <UnstyledButton className={classes["chip"]} aria-keyshortcuts="r" data-testid="recall" onClick={recall}><Undo2 size={14} aria-hidden /> {t("selection.recall", { count: recalled.size, n: format.number(recalled.size) })} <Kbd size="xs" aria-hidden>R</Kbd></UnstyledButton>
      )}
      {lasso && <p className={classes["hint"]} role="status">{t("tool.lassoHint")}</p>}
      {boxTool && <p className={classes["hint"]} role="status">{t("tool.boxHint")}</p>}
    </div>
  );
}
