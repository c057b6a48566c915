import { useTranslation } from "react-i18next";
import type { Component } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { useNow } from "../../console/state/live";
import { useFormat } from "../../console/state/server";
import { Sign, Status } from "./Status";
import classes from "./System.module.css";
import { lagOf, processes } from "./processes";

/** "ingest-1" is the second of its name. */
function nameOf(name: string): string {
  const numbered = /^(.*?)-(\d+)$/.exec(name);
  return numbered ? `${word("component", numbered[1] ?? name)} ${Number(numbered[2]) + 1}` : word("component", name);
}

function Row({ component }: { component: Component }) {
  const { t } = useTranslation();
  const format = useFormat();
  const lag = lagOf(component);
  const notes = [
    component.code && word("detail", component.code, component.params),
    lag !== null && t("system.lag", { age: format.lag(lag) }),
  ].filter(Boolean);
  return (
    <li data-testid="health-component" data-status={component.status} data-name={component.name} data-role={component.role} data-code={component.code}>
      <Sign status={component.status} />
      <span className={classes["name"]}>{nameOf(component.name)}</span>
      <span className={classes["detail"]}>{notes.join(" · ")}</span>
    </li>
  );
}

/** One card a process; what is not well is said in words. */
export function Processes({ components }: { components: Component[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  return processes(components).map((process) => (
    <section key={`${process.role}-${process.instance}`} className={classes["process"]} aria-label={word("component", process.role)}>
      <header>
        <h3>{word("component", process.role)}</h3>
        <Status status={process.status} />
        <span className={classes["since"]}>{process.since && t("system.since", { age: format.age((now - Date.parse(process.since)) / 1000) })}</span>
      </header>
      <ul>{process.components.map((component) => <Row key={component.name} component={component} />)}</ul>
    </section>
  ));
}
