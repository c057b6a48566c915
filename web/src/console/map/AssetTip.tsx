import { useTranslation } from "react-i18next";
import { conditionWord, kindWord, valueWord } from "../../rooms/twin/kindWords";
import { conditionOf } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { lights, pictureTime, useLight, useNow } from "../state/live";
import { useFormat, useKind, usePromise } from "../state/server";
import classes from "./AssetTip.module.css";

export interface Tip {
  id: number;
  x: number;
  y: number;
}

/** So many of the points that a kind draws are said. */
const most = 3;
const places = new Set(["longitude", "latitude", "heading"]);

/** What a piece of equipment says, beside the pointer. */
export function AssetTip({ tip }: { tip: Tip }) {
  const { t } = useTranslation();
  const format = useFormat();
  const light = useLight(tip.id);
  const kind = useKind(light?.kind ?? "");
  const otherwise = usePromise();
  const now = useNow() / 1000;
  if (!light) return null;
  const condition = conditionOf(light.flags, light.at, pictureTime(), lights.promiseOf(light.kind, otherwise));
  const lamp = "dimmingLevel" in light.values;
  const said = (kind?.draws ?? []).flatMap((name) => {
    const spec = kind?.metrics.find((metric) => metric.name === name);
    const value = light.values[name];
    return spec && value !== undefined && !Number.isNaN(value) && !places.has(name) ? [{ words: valueWord(light.kind, spec, value, format) }] : [];
  });
  return (
    <div className={classes["tip"]} style={{ transform: `translate(${tip.x + 14}px, ${tip.y + 14}px)` }} data-testid="asset-tip" aria-hidden>
      {!lamp && <strong>{kindWord(light.kind)}</strong>}
      {condition !== "normal" && <span className={classes["line"]}><Shape condition={condition} /> {conditionWord(kind, condition)}</span>}
      {said.length > 0 && condition !== "silent" && <span>{said.slice(0, most).map(({ words }) => words).join(" · ")}</span>}
      <span className={classes["age"]}>
        {Number.isNaN(light.at) ? t("age.never") : t("age.ago", { age: format.age(now - light.at) })}
      </span>
    </div>
  );
}
