/** The frame of every docked panel: a title, what it is, a way to close it. */
import { ActionIcon } from "@mantine/core";
import { ChevronDown, ChevronRight, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Panel.module.css";

interface Props {
  title: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  testId?: string;
  onClose: () => void;
  children: ReactNode;
}

export function Panel({ title, subtitle, actions, testId, onClose, children }: Props) {
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
        <ActionIcon variant="subtle" color="gray" aria-label={t("action.close")} onClick={onClose}><X size={16} /></ActionIcon>
      </header>
      {!folded && <div className={classes["body"]}>{children}</div>}
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
