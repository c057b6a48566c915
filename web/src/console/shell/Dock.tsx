import { Suspense, createElement, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Boundary } from "../../shared/ui/Boundary";
import { panelOf } from "../frame/rooms";
import { type Panel, useDesk } from "../state/desk";
import classes from "./Dock.module.css";
import { PanelPlace } from "./panelPlace";
import { tearOff } from "./windows";

function Place({ panel }: { panel: Panel }) {
  const { kind, id = "", pinned = false } = panel;
  const Shown = panelOf(kind);
  const place = useMemo(() => ({
    pinned,
    pin: () => useDesk.getState().pinPanel({ kind, id }, !pinned),
    tearOff: kind === "selection" ? null : () => tearOff({ kind, id }),
  }), [kind, id, pinned]);
  return Shown && <PanelPlace value={place}><Boundary><Suspense>{createElement(Shown, { id: String(id) })}</Suspense></Boundary></PanelPlace>;
}

/** A column of its own at the right: panels stack, the newest on top; two columns when they are to be compared. */
export function Dock() {
  const { t } = useTranslation();
  const panels = useDesk((desk) => desk.panels);
  const sideBySide = useDesk((desk) => desk.sideBySide);
  if (panels.length === 0) return null;
  return (
    <aside className={classes["dock"]} data-dock data-pane="object" data-side={(sideBySide && panels.length > 1) || undefined} aria-label={t("dock.label")}>
      {panels.map((panel) => <Place key={`${panel.kind}-${panel.id ?? ""}`} panel={panel} />)}
    </aside>
  );
}
