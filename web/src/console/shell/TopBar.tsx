import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { Territory } from "../../shared/api/types";
import { useDesk } from "../state/desk";
import { useNow } from "../state/live";
import { useFormat } from "../state/server";
import { CommandBar } from "./CommandBar";
import { Faults } from "./Faults";
import { LiveIndicator } from "./LiveIndicator";
import { Mark } from "./Mark";
import classes from "./TopBar.module.css";
import { UserMenu } from "./UserMenu";

function Clock() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  return (
    <time className={classes["clock"]} dateTime={new Date(now).toISOString()} title={t("shell.clock", { date: format.dateTime(now) })}>
      {format.clock(now)}
    </time>
  );
}

export function TopBar({ territory }: { territory: Territory }) {
  const [path] = useLocation();
  // The map's own legend counts them there, unless their layer is hidden.
  const layer = useDesk((desk) => desk.shown.failures);
  const onMap = path === "/" && layer;
  return (
    <header className={classes["bar"]}>
      <div className={classes["name"]}>
        <Mark />
        <span>{territory.name}</span>
      </div>
      <CommandBar />
      <div className={classes["end"]}>
        {!onMap && <Faults />}
        <LiveIndicator />
        <Clock />
        <UserMenu />
      </div>
    </header>
  );
}
