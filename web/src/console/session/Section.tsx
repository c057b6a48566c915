import type { ReactNode } from "react";
import classes from "./Account.module.css";

/** A part of one's account. */
export function Section({ title, hint, tools, children }: { title: string; hint?: string; tools?: ReactNode; children?: ReactNode }) {
  return (
    <section className={classes["section"]} aria-label={title}>
      <div className={classes["head"]}><h2 className={classes["title"]}>{title}</h2>{tools}</div>
      {hint && <p className={classes["hint"]}>{hint}</p>}
      {children}
    </section>
  );
}
