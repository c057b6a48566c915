import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { type Condition, conditionOf } from "../../shared/live/condition";
import { flag } from "../../shared/live/protocol";
import { Shape } from "../../shared/ui/Shape";
import { lights, pictureTime, useLight, useNow } from "../../console/state/live";
import { useFormat, useKind, usePromise } from "../../console/state/server";
import classes from "./asset.module.css";
import { getHistory } from "./calls";
import { pointWord, valueWord } from "./kindWords";
import { type Onset, onsetOf } from "./onset";
import { rowsOf } from "./state";

const signs = ["lamp", "supply"] as const;
const day = 86_400_000;
const lookBack = 7 * day;
const around = 900_000;

interface Said {
  sign: Condition | "pending";
  words: string;
  /** The flag whose history says since when. */
  point?: string;
  /** Since when, where that is known already. */
  since?: Onset;
}

/** From the history of the flag itself. */
function useOnset(asset: number, point: string | undefined): Onset | null {
  const found = useQuery({
    queryKey: ["history", asset, point, "onset"],
    queryFn: async () => {
      const look = async (from: number, to: number) => {
        const { t, v } = await getHistory(asset, { metric: point ?? "", from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: 2_000 });
        return onsetOf(t, v);
      };
      const to = Date.now();
      const rough = await look(to - lookBack, to);
      if (!rough) return null;
      // A week comes in slices of minutes: the measures around the beginning say when it was.
      const exact = await look(rough.at - around, Math.min(to, rough.at + around));
      return exact && !exact.before ? exact : rough;
    },
    enabled: point !== undefined,
    staleTime: 60_000,
  });
  return point === undefined ? null : (found.data ?? null);
}

function Line({ asset, said: { sign, words, point, since } }: { asset: number; said: Said }) {
  const { t } = useTranslation();
  const format = useFormat();
  const found = useOnset(asset, point);
  const onset = since ?? found;
  return (
    <li data-condition={sign} data-testid="status">
      <Shape condition={sign} />{words}
      {onset && (
        <span className={classes["since"]} data-testid="onset">
          {t(onset.before ? "asset.sinceBefore" : "asset.since", { time: pictureTime() * 1000 - onset.at < day ? format.clock(onset.at) : format.dateTime(onset.at) })}
        </span>
      )}
    </li>
  );
}

/** What is abnormal about this equipment, in words, each with the sign that the map has for it and since when; nothing when all is well. */
export function StatusLine({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = useKind(asset.kind);
  const light = useLight(asset.id);
  const otherwise = usePromise();
  useNow();
  if (!light) return null;
  const condition = conditionOf(light.flags, light.at, pictureTime(), lights.promiseOf(asset.kind, otherwise));
  const said: Said[] = [];
  if (condition === "retired") said.push({ sign: condition, words: t("condition.retired") });
  if (condition === "silent") said.push({ sign: condition, words: t("condition.silent"), ...(Number.isNaN(light.at) ? {} : { since: { at: light.at * 1000, before: false } }) });
  for (const { name, spec, value, abnormal } of rowsOf(asset, kind, light)) {
    if (!abnormal || value === null) continue;
    const words = pointWord(asset.kind, name);
    const sign = signs[kind?.marks.indexOf(name) ?? -1] ?? "fault";
    said.push(spec.kind === "flag" ? { sign, words, point: name } : { sign, words: t("order.to", { order: words, values: valueWord(asset.kind, spec, value, format) }) });
  }
  if (light.flags & flag.unexpected) said.push({ sign: "unexpected", words: t("condition.unexpected") });
  if (light.flags & flag.pending) said.push({ sign: "pending", words: t("condition.pending") });
  if (said.length === 0) return null;
  return (
    <ul className={classes["status"]} aria-label={t("asset.abnormal")}>
      {said.map((one) => <Line key={one.words} asset={asset.id} said={one} />)}
    </ul>
  );
}
