import { UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Condition } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { showFaults } from "../list/faults";
import { useCounters, useLiveStatus } from "../state/live";
import { useFormat, usePromise } from "../state/server";
import classes from "./Faults.module.css";

const told = ["supply", "lamp", "fault", "unexpected"] as const satisfies readonly Condition[];

/** What asks for a person, at every desk; nothing when all is well. A press lists it. */
export function Faults({ words = false }: { words?: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const promise = usePromise();
  const counters = useCounters(promise);
  const { live } = useLiveStatus();
  const present = told.filter((condition) => counters[condition] > 0);
  if (present.length === 0) return null;
  return (
    <ul className={classes[words ? "legend" : "counters"]} data-live={live} aria-label={t("counters.label")}>
      {present.map((condition) => {
        const label = t("counters.show", { condition: t(`condition.${condition}`), n: format.number(counters[condition]) });
        return (
          <li key={condition}>
            <UnstyledButton className={classes["counter"]} title={label} aria-label={label} data-testid={`faults-${condition}`} onClick={() => showFaults(condition, promise, t(`condition.${condition}`))}>
              <Shape condition={condition} size={11} />
              {words && t(`condition.${condition}`)}
              <span className={classes["count"]}>{format.number(counters[condition])}</span>
            </UnstyledButton>
          </li>
        );
      })}
    </ul>
  );
}
