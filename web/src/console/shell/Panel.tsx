/** The frame of every docked panel: a title, what it is, a way to close it. */
import { ActionIcon } from "@mantine/core";
import { ChevronDown, ChevronRight, Columns2, ExternalLink, Pin, X } from "lucide-react";
import { type ReactNode, use, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Colleagues } from "../own/Colleagues";
import { useDesk } from "../state/desk";
import classes from "./Panel.module.css";
import { PanelPlace } from "./panelPlace";

interface Props {
  title: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  testId?: string;
  /** The object as the server names it: colleagues see that one is at it. */
  object?: { type: string; id: string };
  onClose: () => void;
  children: ReactNode;
}

/** Pinned it stays, beside another it can be compared, torn off it has a window of its own. */
function Tools() {
  const { t } = useTranslation();
  const place = use(PanelPlace);
  const several = useDesk((desk) => desk.panels.length > 1);
  const sideBySide = useDesk((desk) => desk.sideBySide);
  if (!place) return null;
  const tool = (label: string, on: boolean | undefined, press: () => void, icon: ReactNode, testId: string) => (
    <ActionIcon variant="subtle" color="gray" aria-label={label} title={label} aria-pressed={on} data-testid={testId} onClick={press}>{icon}</ActionIcon>
  );
  return (
    <>
      {several && tool(t("dock.side"), sideBySide, () => useDesk.getState().set({ sideBySide: !sideBySide }), <Columns2 size={15} />, "dock-side")}
      {place.tearOff && tool(t("dock.pin"), place.pinned, place.pin, <Pin size={15} fill={place.pinned ? "currentColor" : "none"} />, "dock-pin")}
      {place.tearOff && tool(t("dock.tearOff"), undefined, place.tearOff, <ExternalLink size={15} />, "dock-tear-off")}
    </>
  );
}

export function Panel({ title, subtitle, actions, testId, object, onClose, children }: Props) {
  const { t } = useTranslation();
  const [folded, setFolded] = useState(false);
  const heading = useId();
  const Chevron = folded ? ChevronRight : ChevronDown;
  return (
    <section className={classes["panel"]} aria-labelledby={heading} data-testid={testId}>
      <header className={classes["head"]}>
        <ActionIcon variant="subtle" color="gray" aria-label={t(folded ? "action.unfold" : "action.fold")} aria-expanded={!folded} onClick={() => setFolded(!folded)}>
          <Chevron size={16} />
        </ActionIcon>
        <div className={classes["titles"]}>
          <h2 id={heading} tabIndex={-1} className={classes["title"]}>{title}</h2>
          {subtitle && <div className={classes["subtitle"]}>{subtitle}</div>}
        </div>
        {actions}
        <Tools />
        <ActionIcon variant="subtle" color="gray" aria-label={t("action.close")} onClick={onClose}><X size={16} /></ActionIcon>
      </header>
      {!folded && (
        <div className={classes["body"]}>
          {object && <Colleagues {...object} />}
          {children}
        </div>
      )}
    </section>
  );
}

export function Section({ title, end, children }: { title: string; end?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes["section"]}>
      <div className={classes["sectionHead"]}>
        <h3>{title}</h3>
        {end}
      </div>
      {children}
    </section>
  );
}
