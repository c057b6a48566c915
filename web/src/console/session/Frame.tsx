/** The quiet card that login and the first change of password share. */
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { LanguageSwitch } from "../shell/LanguageSwitch";
import { Mark } from "../shell/Mark";
import classes from "./Frame.module.css";

export function Frame({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · Vigie`;
  }, [title]);
  return (
    <main className={classes["page"]}>
      <div className={classes["card"]}>
        <header className={classes["head"]}>
          <Mark size={36} />
          <div>
            <div className={classes["name"]}>Vigie</div>
            <div className={classes["what"]}>{t("app.what")}</div>
          </div>
        </header>
        <h1 className={classes["title"]}>{title}</h1>
        {hint && <p className={classes["hint"]}>{hint}</p>}
        {children}
      </div>
      <LanguageSwitch />
    </main>
  );
}
