import { ActionIcon } from "@mantine/core";
import { X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import classes from "./Sheet.module.css";

interface Props {
  title: string;
  /** Beside the title: how many. */
  aside?: ReactNode;
  tools?: ReactNode;
  /** All of the place: list and object side by side. */
  wide?: boolean;
  onKeyDown?: (event: KeyboardEvent<HTMLElement>) => void;
  children: ReactNode;
}

/** A desk's page, beside the map or instead of it. */
export function Sheet({ title, aside, tools, wide = false, onKeyDown, children }: Props) {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <section className={classes["sheet"]} aria-label={title} data-sheet data-pane="list" data-wide={wide || undefined} onKeyDown={onKeyDown}>
      <header className={classes["head"]}>
        <h1 ref={heading} tabIndex={-1} className={classes["title"]}>{title}</h1>
        {aside !== undefined && <span className={classes["aside"]} data-testid="sheet-aside">{aside}</span>}
        <div className={classes["tools"]}>{tools}</div>
        <ActionIcon variant="subtle" color="gray" aria-label={t("action.backToMap")} onClick={() => navigate("/")}><X size={18} /></ActionIcon>
      </header>
      <div className={classes["body"]}>{children}</div>
    </section>
  );
}
