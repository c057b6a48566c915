import { useTranslation } from "react-i18next";
import { conditionOf } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { useLight, useNow } from "../state/live";
import { useFormat, usePromise } from "../state/server";
import classes from "./LightTip.module.css";

export interface Tip {
  id: number;
  x: number;
  y: number;
}

/** What a light says, beside the pointer. */
export function LightTip({ tip }: { tip: Tip }) {
  const { t } = useTranslation();
  const format = useFormat();
  const light = useLight(tip.id);
  const promise = usePromise();
  const now = useNow() / 1000;
  if (!light) return null;
  const condition = conditionOf(light.flags, light.at, now, promise);
  return (
    <div className={classes["tip"]} style={{ transform: `translate(${tip.x + 14}px, ${tip.y + 14}px)` }} aria-hidden>
      {condition !== "normal" && <span className={classes["line"]}><Shape condition={condition} /> {t(`condition.${condition}`)}</span>}
      {!Number.isNaN(light.level) && condition !== "silent" && (
        <span>{format.percent(light.level)}{Number.isNaN(light.power) ? "" : ` · ${format.quantity(light.power, "W")}`}</span>
      )}
      <span className={classes["age"]}>
        {Number.isNaN(light.at) ? t("age.never") : t("age.ago", { age: format.age(now - light.at) })}
      </span>
    </div>
  );
}
