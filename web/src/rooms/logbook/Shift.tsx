/** Who has the shift, its hand-over and its sheet. */
import { Anchor } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { StateBadge, VerbButton } from "../../console/frame";
import classes from "./LogbookDesk.module.css";
import { handOver, newestShift, sheetOf, takeShift } from "./calls";

export function ShiftBar() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const { data: shift } = useQuery({ queryKey: ["logbook", "shift"], queryFn: newestShift });
  if (!shift) return null;
  const again = () => void client.invalidateQueries({ queryKey: ["logbook"] });
  const word = { open: t("logbook.shiftOpen"), handed: t("logbook.shiftHanded"), closed: t("logbook.shiftClosed") }[shift.state] ?? shift.state;
  return (
    <div className={classes["bar"]} data-testid="shift">
      <StateBadge tone={shift.state === "handed" ? "attention" : "active"} word={`${t("logbook.shift", { number: shift.number })} · ${word}`} />
      {shift.state === "open" && (
        <VerbButton
          label={t("logbook.handOver")} permission="logbook.hand_over" needsLive={false} testId="hand-over" hotkey="h" demands={{ reason: true }}
          run={({ reason }) => handOver(shift, reason)} onDone={again} done={t("logbook.handedDone")}
        />
      )}
      {shift.state === "handed" && (
        <VerbButton label={t("logbook.take")} permission="logbook.hand_over" needsLive={false} primary testId="take" hotkey="p" run={() => takeShift(shift)} onDone={again} done={t("logbook.takenDone")} />
      )}
      <Anchor size="sm" href={sheetOf(shift, i18n.language)} target="_blank" rel="noopener">{t("logbook.sheet")}</Anchor>
    </div>
  );
}
