import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { type Condition, conditionOf } from "../../shared/live/condition";
import { flag } from "../../shared/live/protocol";
import { Shape } from "../../shared/ui/Shape";
import { lights, useLight, useNow } from "../../console/state/live";
import { useFormat, useKind, usePromise } from "../../console/state/server";
import classes from "./asset.module.css";
import { pointWord, valueWord } from "./kindWords";
import { rowsOf } from "./state";

const signs = ["lamp", "supply"] as const;

/** What is abnormal about this equipment, in words, each with the sign that the map has for it; nothing when all is well. */
export function StatusLine({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = useKind(asset.kind);
  const light = useLight(asset.id);
  const otherwise = usePromise();
  const now = useNow() / 1000;
  if (!light) return null;
  const condition = conditionOf(light.flags, light.at, now, lights.promiseOf(asset.kind, otherwise));
  const said: [Condition | "pending", string][] = [];
  if (condition === "retired" || condition === "silent") said.push([condition, t(`condition.${condition}`)]);
  for (const { name, spec, value, abnormal } of rowsOf(asset, kind, light)) {
    if (!abnormal || value === null) continue;
    const point = pointWord(asset.kind, name);
    const sign = signs[kind?.marks.indexOf(name) ?? -1] ?? "fault";
    said.push([sign, spec.kind === "flag" ? point : t("order.to", { order: point, values: valueWord(asset.kind, spec, value, format) })]);
  }
  if (light.flags & flag.unexpected) said.push(["unexpected", t("condition.unexpected")]);
  if (light.flags & flag.pending) said.push(["pending", t("condition.pending")]);
  if (said.length === 0) return null;
  return (
    <ul className={classes["status"]} aria-label={t("asset.abnormal")}>
      {said.map(([sign, words]) => <li key={words} data-condition={sign}><Shape condition={sign} />{words}</li>)}
    </ul>
  );
}
