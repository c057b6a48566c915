import { UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Asset, MetricSpec } from "../../shared/api/types";
import type { Format } from "../../shared/i18n/format";
import { word } from "../../shared/i18n/words";
import type { Light } from "../../shared/live/store";
import { useLight, useLiveStatus, useNow } from "../../console/state/live";
import { metricOf, useFormat, useKind } from "../../console/state/server";
import classes from "./asset.module.css";
import { freshness } from "./freshness";

interface Row {
  name: string;
  value: number | null;
  at: number | null;
  unit: string;
  flag: boolean;
  promise: number | null;
}

/** The live arrays are newer than the last answer for the metrics they carry. */
function liveValue(name: string, light: Light | null): number | undefined {
  if (!light) return undefined;
  if (name === "dimmingLevel") return light.level;
  if (name === "activePower") return light.power;
  return undefined;
}

function rowsOf(asset: Asset, metrics: MetricSpec[] | undefined, light: Light | null): Row[] {
  const order = metrics?.map(({ name }) => name) ?? [];
  const names = [...order.filter((name) => name in asset.state), ...Object.keys(asset.state).filter((name) => !order.includes(name))];
  return names.map((name) => {
    const state = asset.state[name];
    const spec = metrics?.find((metric) => metric.name === name);
    const answered = state?.at ? Date.parse(state.at) / 1000 : null;
    const live = liveValue(name, light);
    const newer = light && live !== undefined && !Number.isNaN(live) && !Number.isNaN(light.at) && light.at > (answered ?? 0);
    return {
      name,
      value: newer ? live : (state?.value ?? null),
      at: newer ? light.at : answered,
      unit: spec?.unit ?? state?.unit ?? "",
      flag: spec?.kind === "flag",
      promise: spec ? spec.promise_s : 180,
    };
  });
}

function shown(row: Row, format: Format, yes: string, no: string): string {
  if (row.value === null) return "–";
  if (row.flag) return row.value ? yes : no;
  return format.quantity(row.value, row.unit);
}

/** Every value answers since when; a press shows how it came to be. */
export function StateTable({ asset, onHistory }: { asset: Asset; onHistory: (metric: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = useKind(asset.kind);
  const light = useLight(asset.id);
  const { live } = useLiveStatus();
  const now = useNow() / 1000;
  const rows = rowsOf(asset, kind?.metrics, light);
  const desired = asset.desired?.["dimmingLevel"];
  const level = metricOf(kind, "dimmingLevel");

  return (
    <table className={classes["state"]}>
      <thead className="sr-only"><tr><th>{t("asset.metric")}</th><th>{t("asset.value")}</th><th>{t("asset.age")}</th></tr></thead>
      <tbody>
        {rows.map((row) => {
          const age = row.at === null ? null : now - row.at;
          const fresh = freshness(age, row.promise, live);
          return (
            <tr key={row.name} data-freshness={fresh} data-alert={row.flag && row.value ? true : undefined} data-metric={row.name}>
              <th scope="row">
                <UnstyledButton className={classes["history"] ?? ""} title={t("asset.showHistory", { metric: word("metric", row.name) })} onClick={() => onHistory(row.name)}>{word("metric", row.name)}</UnstyledButton>
              </th>
              <td className={classes["value"]}><span>{shown(row, format, t("asset.yes"), t("asset.no"))}</span></td>
              <td className={classes["age"]} title={row.at === null ? undefined : format.dateTime(row.at * 1000)}>
                {age === null ? t("age.never") : format.age(age)}
              </td>
            </tr>
          );
        })}
        {desired !== undefined && (
          <tr data-freshness="fresh">
            <th scope="row">{t("asset.desired")}</th>
            <td className={classes["value"]}><span>{format.quantity(desired, level?.unit ?? "%")}</span></td>
            <td />
          </tr>
        )}
      </tbody>
    </table>
  );
}
