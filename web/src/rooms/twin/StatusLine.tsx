import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { type Condition, conditionOf } from "../../shared/live/condition";
import { flag } from "../../shared/live/protocol";
import { Shape } from "../../shared/ui/Shape";
import { pictureTime, useLight, useNow } from "../../console/state/live";
import { useFormat, usePromise } from "../../console/state/server";
import classes from "./asset.module.css";
import { getHistory } from "./calls";
import { type Onset, flagOf, onsetOf } from "./onset";

const day = 86_400_000;
const lookBack = 7 * day;
const around = 900_000;

/** From the history of the flag itself; of what fell silent, the last that was heard. */
function useOnset(asset: number, condition: Condition, heard: number): Onset | null {
  const metric = flagOf[condition];
  const found = useQuery({
    queryKey: ["history", asset, metric, "onset"],
    queryFn: async () => {
      const look = async (from: number, to: number) => {
        const { t, v } = await getHistory(asset, { metric: metric ?? "", from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: 2_000 });
        return onsetOf(t, v);
      };
      const to = Date.now();
      const rough = await look(to - lookBack, to);
      if (!rough) return null;
      // A week comes in slices of minutes: the measures around the beginning say when it was.
      const exact = await look(rough.at - around, Math.min(to, rough.at + around));
      return exact && !exact.before ? exact : rough;
    },
    enabled: metric !== undefined,
    staleTime: 60_000,
  });
  if (condition === "silent") return Number.isNaN(heard) ? null : { at: heard * 1000, before: false };
  return metric === undefined ? null : (found.data ?? null);
}

/** What is abnormal about this light, in words; nothing when all is well. */
export function StatusLine({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const light = useLight(asset.id);
  const promise = usePromise();
  useNow();
  const now = pictureTime();
  const format = useFormat();
  const condition = light ? conditionOf(light.flags, light.at, now, promise) : "normal";
  const since = useOnset(asset.id, condition, light?.at ?? NaN);
  if (!light) return null;
  const pending = (light.flags & flag.pending) !== 0;
  if (condition === "normal" && !pending) return null;
  return (
    <ul className={classes["status"]} aria-label={t("asset.abnormal")}>
      {condition !== "normal" && (
        <li data-condition={condition} data-testid="status">
          <Shape condition={condition} />{t(`condition.${condition}`)}
          {since && <span className={classes["since"]} data-testid="onset">{t(since.before ? "asset.sinceBefore" : "asset.since", { time: now * 1000 - since.at < day ? format.clock(since.at) : format.dateTime(since.at) })}</span>}
        </li>
      )}
      {pending && <li><Shape condition="pending" />{t("condition.pending")}</li>}
    </ul>
  );
}
