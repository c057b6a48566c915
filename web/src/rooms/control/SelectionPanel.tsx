import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { conditionOf, type Condition, conditions } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { showLights } from "../../console/map/controller";
import { useCan } from "../../console/session/session";
import { Panel, Section } from "../../console/shell/Panel";
import { useDesk } from "../../console/state/desk";
import { lights, pictureTime, useNow } from "../../console/state/live";
import { kindsQuery, useFormat, usePromise } from "../../console/state/server";
import type { KindSpec } from "../../shared/api/types";
import { kindWord } from "../twin/kindWords";
import { Orders } from "../twin/orders/Orders";
import classes from "./SelectionPanel.module.css";

function summary(ids: ReadonlySet<number>, now: number, promise: number) {
  const counts = new Map<Condition, number>();
  let level = 0;
  let known = 0;
  let power = 0;
  for (const id of ids) {
    const light = lights.get(id);
    if (!light) continue;
    const told = conditionOf(light.flags, light.at, now, lights.promiseOf(light.kind, promise));
    const condition = (told === "lamp" || told === "supply") && !("dimmingLevel" in light.values) ? "fault" : told;
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

/** What is chosen, by kind, most first. */
function byKind(ids: ReadonlySet<number>, kinds: readonly KindSpec[]): Map<KindSpec, number[]> {
  const named = new Map(kinds.map((kind) => [kind.name, kind]));
  const found = new Map<KindSpec, number[]>();
  for (const id of ids) {
    const kind = named.get(lights.get(id)?.kind ?? "");
    if (!kind) continue;
    const some = found.get(kind);
    if (some) some.push(id);
    else found.set(kind, [id]);
  }
  return new Map([...found].sort(([, a], [, b]) => b.length - a.length));
}

/** The equipment chosen on the map or in the list, and what can be asked of them together. */
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
  const kinds = useQuery(kindsQuery).data;
  const chosen = useMemo(() => byKind(selection, kinds ?? []), [selection, kinds]);
  const only = chosen.size === 1 ? [...chosen.keys()][0] : undefined;
  const lamps = only === undefined ? chosen.size === 0 : only.draws.includes("dimmingLevel");
  const { counts, level, power } = useMemo(() => summary(selection, now, promise), [selection, now, promise]);
  return (
    <Panel
      testId="selection-panel" onClose={clear}
      title={<span data-testid="selection-count" data-count={selection.size}>{t(lamps ? "selection.title" : "selection.mixed", { count: selection.size, n: format.number(selection.size) })}</span>}
      subtitle={lamps
        ? level !== null && t("selection.now", { level: format.percent(level), power: format.quantity(power / 1000, "kW") })
        : [...chosen].map(([kind, ids]) => `${kindWord(kind.name)} ${format.number(ids.length)}`).join(" · ")}
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
      {can("control.command") && [...chosen.keys()].some(({ commands }) => commands.length > 0) && (
        <Section title={t("asset.command")}>
          <Orders key={draft ? JSON.stringify(draft) : "form"} chosen={chosen} draft={draft} />
        </Section>
      )}
    </Panel>
  );
}
