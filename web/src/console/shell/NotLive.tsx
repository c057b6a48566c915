import { useTranslation } from "react-i18next";
import { useLiveStatus } from "../state/live";
import { useFormat } from "../state/server";
import classes from "./NotLive.module.css";

/** Over the map itself: nobody may take a frozen picture for the present. */
export function NotLive() {
  const { t } = useTranslation();
  const format = useFormat();
  const { live, since, phase } = useLiveStatus();
  if (live || since === null) return null;
  return (
    <div className={classes["frame"]} data-testid="not-live">
      <p className={classes["band"]} role="alert">
        <strong>{t("live.lost", { since: format.time(since) })}</strong>
        <span>{t(phase === "open" ? "live.serverBehind" : "live.reconnecting")}</span>
      </p>
    </div>
  );
}
