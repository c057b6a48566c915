import { Button } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { usePreferences } from "../own/preferences";
import classes from "./TourBand.module.css";
import { steps, useTour } from "./tour";

/** One part of the screen at a time, outlined where it stands, in a few words. Escape ends it. */
export function TourBand() {
  const { t } = useTranslation();
  const { at, go } = useTour();
  const { change } = usePreferences();
  const next = useRef<HTMLButtonElement>(null);
  const step = at === null ? undefined : steps[at];
  useEffect(() => {
    if (step) document.documentElement.dataset["tour"] = step;
    else delete document.documentElement.dataset["tour"];
    next.current?.focus();
    return () => {
      delete document.documentElement.dataset["tour"];
    };
  }, [step]);
  if (at === null || step === undefined) return null;
  const end = () => {
    go(null);
    change({ toured: true });
  };
  const last = at === steps.length - 1;
  return (
    <section
      className={classes["band"]} aria-label={t("tour.title")} data-testid="tour"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        end();
      }}
    >
      <span className={classes["count"]}>{at + 1} / {steps.length}</span>
      <p aria-live="polite">{t(`tour.${step}`)}</p>
      <Button ref={next} size="xs" onClick={() => (last ? end() : go(at + 1))} data-testid="tour-next">{t(last ? "tour.end" : "tour.next")}</Button>
      {!last && <Button size="xs" variant="subtle" color="gray" onClick={end}>{t("tour.leave")}</Button>}
    </section>
  );
}
