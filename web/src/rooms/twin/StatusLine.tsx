import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { conditionOf } from "../../shared/live/condition";
import { flag } from "../../shared/live/protocol";
import { Shape } from "../../shared/ui/Shape";
import { pictureTime, useLight, useNow } from "../../console/state/live";
import { usePromise } from "../../console/state/server";
import classes from "./asset.module.css";

/** What is abnormal about this light, in words; nothing when all is well. */
export function StatusLine({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const light = useLight(asset.id);
  const promise = usePromise();
  useNow();
  const now = pictureTime();
  if (!light) return null;
  const condition = conditionOf(light.flags, light.at, now, promise);
  const pending = (light.flags & flag.pending) !== 0;
  if (condition === "normal" && !pending) return null;
  return (
    <ul className={classes["status"]} aria-label={t("asset.abnormal")}>
      {condition !== "normal" && <li data-condition={condition}><Shape condition={condition} />{t(`condition.${condition}`)}</li>}
      {pending && <li><Shape condition="pending" />{t("condition.pending")}</li>}
    </ul>
  );
}
