import { useTranslation } from "react-i18next";
import type { Command, CommandState } from "../../shared/api/types";
import { colour } from "../../shared/tokens";
import { useFormat } from "../../console/state/server";
import classes from "./command.module.css";
import { barOrder, countOf, unconfirmed, underWay } from "./progress";

export const stateColour: Record<CommandState, string> = {
  confirmed: colour.lampFull,
  delivered: "color-mix(in srgb, var(--v-lampFull) 68%, var(--v-line))",
  sent: "color-mix(in srgb, var(--v-lampFull) 44%, var(--v-line))",
  requested: "color-mix(in srgb, var(--v-lampFull) 28%, var(--v-line))",
  awaiting_approval: "color-mix(in srgb, var(--v-lampFull) 28%, var(--v-line))",
  refused: colour.high,
  failed: colour.critical,
  timed_out: colour.medium,
  cancelled: "color-mix(in srgb, var(--v-lampFull) 40%, var(--v-line))",
  superseded: "color-mix(in srgb, var(--v-lampFull) 40%, var(--v-line))",
};
const always: CommandState[] = ["confirmed", "delivered", "sent", "refused", "failed", "timed_out"];

export function ProgressBar({ command }: { command: Command }) {
  const { t } = useTranslation();
  const done = command.total - underWay(command);
  return (
    <div className={classes["bar"]} role="progressbar" aria-valuemin={0} aria-valuemax={command.total} aria-valuenow={done} aria-label={t("command.progress")}>
      {barOrder.filter((state) => countOf(command.counts, state) > 0).map((state) => (
        <span key={state} style={{ flexGrow: countOf(command.counts, state), background: stateColour[state] }} />
      ))}
    </div>
  );
}

/** What has become of each target, in numbers. */
export function CommandProgress({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { counts } = command;
  const open = underWay(command);
  const missing = unconfirmed(counts);
  const shown = barOrder.filter((state) => always.includes(state) || countOf(counts, state) > 0);
  const all = countOf(counts, "confirmed") === command.total;
  const text = open > 0 ? t("command.underWay", { count: open, n: format.number(open) })
    : all ? t("command.allConfirmed", { count: command.total, n: format.number(command.total) })
    : t("command.someMissing", { count: missing, n: format.number(missing) });
  return (
    <div data-testid="command-progress" data-ended={command.ended_at !== null}>
      <p className={classes["outcome"]} role="status">{text}</p>
      <ProgressBar command={command} />
      <dl className={classes["counts"]}>
        {shown.map((state) => (
          <div key={state} data-zero={countOf(counts, state) === 0 || undefined}>
            <dt><span className={classes["key"]} style={{ background: stateColour[state] }} />{t(`commandState.${state}`)}</dt>
            <dd data-testid={`count-${state}`} data-count={countOf(counts, state)}>{format.number(countOf(counts, state))}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
