import { ActionIcon } from "@mantine/core";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import classes from "./Sheet.module.css";

/** A desk's page, over the left of the map. */
export function Sheet({ title, tools, children }: { title: string; tools?: ReactNode; children: ReactNode }) {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <section className={classes["sheet"]} aria-label={title}>
      <header className={classes["head"]}>
        <h1 ref={heading} tabIndex={-1} className={classes["title"]}>{title}</h1>
        <div className={classes["tools"]}>{tools}</div>
        <ActionIcon variant="subtle" color="gray" aria-label={t("action.backToMap")} onClick={() => navigate("/")}><X size={18} /></ActionIcon>
      </header>
      <div className={classes["body"]}>{children}</div>
    </section>
  );
}
