import { useTranslation } from "react-i18next";
import { useLiveStatus } from "../state/live";
import { useFormat } from "../state/server";
import classes from "./NotLive.module.css";

/** Above what is shown: nobody may take a frozen picture for the present. It goes when the fault does. */
export function NotLive() {
  const { t } = useTranslation();
  const format = useFormat();
  const { live, since, phase } = useLiveStatus();
  if (live || since === null) return null;
  return (
    <p className={classes["band"]} role="alert" data-testid="not-live">
      <strong>{t("live.lost", { since: format.time(since) })}</strong>
      <span>{t(phase === "open" ? "live.serverBehind" : "live.reconnecting")}</span>
    </p>
  );
}
