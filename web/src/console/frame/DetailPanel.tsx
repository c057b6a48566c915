/**
 * An object at its address, with the parts that every object has, in this order: what it is and its state, its verbs, what
 * the room says of it, its links, its journal.
 */
import { ActionIcon } from "@mantine/core";
import { ArrowLeft, X } from "lucide-react";
import { type ReactNode, use, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import classes from "./DetailPanel.module.css";
import { LinksSection } from "./LinksSection";
import { ObjectJournal } from "./ObjectJournal";
import { Colleagues } from "../own/Colleagues";
import { OpenObject } from "./openObject";

interface Props {
  title: string;
  /** Where, and since when: one line. */
  subtitle?: ReactNode;
  mark?: ReactNode;
  state?: ReactNode;
  /** VerbButtons, the likeliest first. */
  verbs?: ReactNode;
  /** The object as the server names it; with it come links and journal. */
  object?: { type: string; id: string };
  testId?: string;
  children?: ReactNode;
}

export function DetailPanel({ title, subtitle, mark, state, verbs, object, testId, children }: Props) {
  const { t } = useTranslation();
  const heading = useId();
  const open = use(OpenObject);
  const head = useRef<HTMLHeadingElement>(null);
  const takeFocus = open?.takeFocus;
  useEffect(() => {
    if (takeFocus?.()) head.current?.focus();
  }, [takeFocus]);
  return (
    <article className={classes["panel"]} aria-labelledby={heading} data-testid={testId}>
      <header className={classes["head"]}>
        {open && <ActionIcon className={classes["back"] ?? ""} variant="subtle" color="gray" aria-label={t("frame.backToList")} onClick={open.close}><ArrowLeft size={18} /></ActionIcon>}
        {mark !== undefined && <span className={classes["mark"]}>{mark}</span>}
        <div className={classes["titles"]}>
          <h2 ref={head} id={heading} tabIndex={-1} className={classes["title"]}>{title}</h2>
          {subtitle !== undefined && <div className={classes["subtitle"]}>{subtitle}</div>}
        </div>
        {state}
        {open && <ActionIcon className={classes["close"] ?? ""} variant="subtle" color="gray" aria-label={t("action.close")} onClick={open.close}><X size={18} /></ActionIcon>}
      </header>
      {verbs !== undefined && <div className={classes["verbs"]} role="group" aria-label={t("frame.verbs")}>{verbs}</div>}
      {object && <div className={classes["colleagues"]}><Colleagues {...object} /></div>}
      <div className={classes["sections"]}>
        {children}
        {object && <LinksSection {...object} />}
        {object && <ObjectJournal {...object} />}
      </div>
    </article>
  );
}

export function DetailSection({ title, end, children }: { title: string; end?: ReactNode; children: ReactNode }) {
  const heading = useId();
  return (
    <section className={classes["section"]} aria-labelledby={heading}>
      <div className={classes["sectionHead"]}>
        <h3 id={heading}>{title}</h3>
        {end}
      </div>
      {children}
    </section>
  );
}

export interface Fact {
  label: string;
  value: ReactNode;
  age?: ReactNode;
}

/** Name, value, age: three columns that align from top to bottom. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes["facts"]}>
      {facts.map(({ label, value, age }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
          <dd className={classes["age"]}>{age}</dd>
        </div>
      ))}
    </dl>
  );
}
