import { UnstyledButton } from "@mantine/core";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { split } from "../../shared/filter";
import { connection } from "../state/live";
import { type RangeName, rangeOf, rangeTerms } from "../state/range";
import { useFormat, useTerritory } from "../state/server";
import { spanOf, useTime } from "../state/time";
import classes from "./FilterBar.module.css";
import { type Span, spanIn, withoutField } from "./timeTerms";

const quick = ["night", "yesterday", "week"] as const satisfies readonly RangeName[];

/** A list's period without grammar: tonight, yesterday, seven days, or the one chosen below on the time bar. */
export function TimeChips({ field, value, onChange }: { field: string; value: string; onChange: (filter: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  const chosen = useTime((time) => time.chosen);
  const held = spanIn(split(value).terms, field);
  const put = (span: Span | null) => onChange([withoutField(value, field), ...(span ? rangeTerms(field, span) : [])].filter(Boolean).join(" "));
  return (
    <>
      {quick.map((name) => (
        <UnstyledButton key={name} className={classes["chip"]} data-testid={`period-${name}`} onClick={() => put(rangeOf(name, connection.now(), zone))}>{t(`time.${name}`)}</UnstyledButton>
      ))}
      {chosen.name === "custom" && <UnstyledButton className={classes["chip"]} data-testid="period-bar" onClick={() => put(spanOf(chosen, zone))}>{t("time.asBelow")}</UnstyledButton>}
      {held && (
        <UnstyledButton className={classes["term"]} data-testid="period" aria-label={t("frame.dropTerm", { term: format.span(held.from, held.to) })} onClick={() => put(null)}>
          {format.span(held.from, held.to)}<X size={12} aria-hidden />
        </UnstyledButton>
      )}
    </>
  );
}
