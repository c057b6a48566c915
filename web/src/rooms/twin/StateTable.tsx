import { UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { useLight, useLiveStatus, useNow } from "../../console/state/live";
import { useFormat, useKind } from "../../console/state/server";
import classes from "./asset.module.css";
import { freshness } from "./freshness";
import { pointWord, valueWord } from "./kindWords";
import { rowsOf } from "./state";

/** Every point that the kind declares: its value, its age, and what is wanted of it when that is something else. A press shows how it came to be. */
export function StateTable({ asset, onHistory }: { asset: Asset; onHistory: (point: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = useKind(asset.kind);
  const light = useLight(asset.id);
  const { live } = useLiveStatus();
  const now = useNow() / 1000;
  const rows = rowsOf(asset, kind, light);

  return (
    <table className={classes["state"]}>
      <thead className="sr-only"><tr><th>{t("asset.metric")}</th><th>{t("asset.value")}</th><th>{t("asset.age")}</th></tr></thead>
      <tbody>
        {rows.map(({ name, spec, value, at, abnormal, wanted }) => {
          const age = at === null ? null : now - at;
          const told = value !== null;
          const fresh = told ? freshness(age, spec.promise_s, live) : "stale";
          const say = (number: number) => valueWord(asset.kind, spec, number, format);
          const asked = wanted === undefined || (told && say(value) === say(wanted)) ? null : t("order.wanted", { value: say(wanted) });
          return (
            <tr key={name} data-freshness={fresh} data-told={told} data-alert={abnormal || undefined} data-metric={name}>
              <th scope="row">
                <UnstyledButton className={classes["history"] ?? ""} title={t("asset.showHistory", { metric: pointWord(asset.kind, name) })} onClick={() => onHistory(name)}>{pointWord(asset.kind, name)}</UnstyledButton>
              </th>
              <td className={classes["value"]}>
                <span>{told ? say(value) : "–"}</span>
                {asked !== null && <small className={classes["wanted"]}>{asked}</small>}
              </td>
              <td className={classes["age"]} title={at === null ? undefined : format.dateTime(at * 1000)}>
                {age === null ? t("age.never") : format.age(age)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
