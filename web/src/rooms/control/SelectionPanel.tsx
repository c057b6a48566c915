import { Button } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { conditionOf, type Condition, conditions } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { showLights } from "../../console/map/controller";
import { useCan } from "../../console/session/session";
import { Panel, Section } from "../../console/shell/Panel";
import { useDesk } from "../../console/state/desk";
import { lights, pictureTime, useNow } from "../../console/state/live";
import { useFormat, usePromise } from "../../console/state/server";
import { CommandForm } from "./CommandForm";
import classes from "./SelectionPanel.module.css";

function summary(ids: ReadonlySet<number>, now: number, promise: number) {
  const counts = new Map<Condition, number>();
  let level = 0;
  let known = 0;
  let power = 0;
  for (const id of ids) {
    const light = lights.get(id);
    if (!light) continue;
    const condition = conditionOf(light.flags, light.at, now, promise);
    counts.set(condition, (counts.get(condition) ?? 0) + 1);
    if (condition === "silent") continue;
    if (!Number.isNaN(light.level)) {
      level += light.level;
      known++;
    }
    if (!Number.isNaN(light.power)) power += light.power;
  }
  return { counts, level: known ? level / known : null, power };
}

/** The lights chosen on the map or in the list, and what can be asked of them together. */
export default function SelectionPanel() {
  const { t } = useTranslation();
  const format = useFormat();
  const can = useCan();
  const selection = useDesk((desk) => desk.selection);
  const draft = useDesk((desk) => desk.draft);
  const clear = useDesk((desk) => desk.clearSelection);
  const promise = usePromise();
  useNow();
  const now = Math.floor(pictureTime());
  const assets = useMemo(() => [...selection], [selection]);
  const { counts, level, power } = useMemo(() => summary(selection, now, promise), [selection, now, promise]);
  return (
    <Panel
      testId="selection-panel" onClose={clear}
      title={<span data-testid="selection-count" data-count={selection.size}>{t("selection.title", { count: selection.size, n: format.number(selection.size) })}</span>}
      subtitle={level !== null && t("selection.now", { level: format.percent(level), power: format.quantity(power / 1000, "kW") })}
    >
      <ul className={classes["conditions"]}>
        {conditions.filter((condition) => counts.has(condition)).map((condition) => (
          <li key={condition}><Shape condition={condition} />{t(`condition.${condition}`)}<strong>{format.number(counts.get(condition) ?? 0)}</strong></li>
        ))}
      </ul>
      <div className={classes["actions"]}>
        <Button size="xs" variant="default" onClick={() => showLights(selection)}>{t("selection.show")}</Button>
        <Button size="xs" variant="subtle" color="gray" onClick={clear}>{t("selection.clear")}</Button>
      </div>
      {can("control.command") && (
        <Section title={t("asset.command")}>
          <CommandForm key={draft ? `draft-${draft.level}-${draft.reason}` : "form"} assets={assets} initialLevel={draft?.level ?? 50} initialReason={draft?.reason ?? ""} />
        </Section>
      )}
    </Panel>
  );
}
