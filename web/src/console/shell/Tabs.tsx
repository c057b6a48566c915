import { UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { word } from "../../shared/i18n/words";
import type { DeskSpec } from "../frame/room";
import { type Tab, useDesk } from "../state/desk";
import { useFormat } from "../state/server";
import classes from "./Tabs.module.css";

/** Where the screen is small: map, list and object, of which one is shown. */
export function Tabs({ shown, desk }: { shown: Tab; desk: DeskSpec | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  const open = useDesk((state) => state.panels.length);
  const names: [Tab, string][] = [
    ["map", t("desk.map")],
    ["list", desk === undefined || desk.path === "/" ? t("tab.list") : word("desk", desk.name)],
    ["object", open > 1 ? t("tab.objects", { n: format.number(open) }) : t("tab.object")],
  ];
  return (
    <div className={classes["tabs"]} role="tablist" aria-label={t("tab.label")}>
      {names.map(([tab, name]) => (
        <UnstyledButton
          key={tab} className={classes["tab"]} role="tab" aria-selected={shown === tab} disabled={tab === "object" && open === 0} data-testid={`tab-${tab}`}
          onClick={() => useDesk.getState().set({ tab })}
        >
          {name}
        </UnstyledButton>
      ))}
    </div>
  );
}
