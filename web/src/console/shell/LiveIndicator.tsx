import { useTranslation } from "react-i18next";
import { useLiveStatus, useNow } from "../state/live";
import { useFormat } from "../state/server";
import classes from "./LiveIndicator.module.css";

/** Whether what the screens show is what happens now, and how old it is. */
export function LiveIndicator() {
  const { t } = useTranslation();
  const format = useFormat();
  const { live, lag, since } = useLiveStatus();
  useNow();
  const joining = !live && since === null;
  const state = live ? "live" : joining ? "joining" : "lost";
  return (
    <div className={classes["live"]} data-state={state} data-live={live} data-testid="live-indicator" role="status">
      <span className={classes["dot"]} aria-hidden />
      {live && <span aria-live="off">{t("live.live")} {lag !== null && <span className={classes["lag"]}>{format.lag(lag)}</span>}</span>}
      {joining && t("live.joining")}
      {state === "lost" && t("live.lost", { since: format.time(since ?? 0) })}
    </div>
  );
}
