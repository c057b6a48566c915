import { UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { usePreferences } from "../own/preferences";
import classes from "./TimeBar.module.css";
import { useTour } from "./tour";

/** For who is here for the first time; it stands in the way of nothing. */
export function TourOffer() {
  const { t } = useTranslation();
  const { preferences, known, change } = usePreferences();
  const { at, go } = useTour();
  if (!known || preferences.toured || at !== null) return null;
  return (
    <span className={classes["offer"]}>
      <UnstyledButton className={classes["quick"]} data-testid="tour-start" onClick={() => go(0)}><strong>{t("tour.offer")}</strong></UnstyledButton>
      <UnstyledButton className={classes["quick"]} onClick={() => change({ toured: true })}>{t("tour.no")}</UnstyledButton>
    </span>
  );
}
