import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { getJournalChanges } from "../journal/calls";
import type { Command } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { Refusal } from "../../console/session/Refusal";
import { Section } from "../../console/shell/Panel";
import { focusTopPanel } from "../../console/shell/focus";
import { useDesk } from "../../console/state/desk";
import { useFormat } from "../../console/state/server";
import { type Levels, askedBefore, byLevel, keptFor } from "./before";
import classes from "./command.module.css";

const mostGroups = 4;

async function askJournal(command: Command): Promise<Levels> {
  const levels = new Map<number, number>();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof getJournalChanges>> = await getJournalChanges(command.entry, cursor, 500);
    for (const [id, level] of askedBefore(page.items)) levels.set(id, level);
    cursor = page.next ?? null;
  } while (cursor);
  return levels;
}

/** Undoes nothing by itself: it opens the form with the lights and the level they had. */
export function WayBack({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [levels, setLevels] = useState<Levels | null>(() => keptFor(command.id));
  const find = useMutation({ mutationFn: () => askJournal(command), onSuccess: setLevels });
  const groups = levels && byLevel(levels, command.params["level"] ?? 0);
  const unknown = levels ? command.total - levels.size : 0;
  const more = groups ? groups.length - mostGroups : 0;
  return (
    <Section title={t("command.back")}>
      <div className={classes["back"]} data-testid="way-back">
        {!groups && <Button size="xs" variant="default" loading={find.isPending} onClick={() => find.mutate()}>{t("command.backFind")}</Button>}
        {groups?.slice(0, mostGroups).map(({ level, ids }) => (
          <Button
            key={level} size="xs" variant="default" data-testid="back-to" data-level={level}
            onClick={() => {
              useDesk.getState().retry(ids, { verb: command.verb, params: { level }, reason: t("command.backReason", { reason: command.reason ?? "" }).trim() });
              focusTopPanel();
            }}
          >
            {t("command.backTo", { count: ids.length, n: format.number(ids.length), level: format.percent(level) })}
          </Button>
        ))}
        {more > 0 && <span className={classes["note"]}>{t("command.backMore", { count: more, n: format.number(more) })}</span>}
        {unknown > 0 && <span className={classes["note"]}>{t("command.backUnknown", { count: unknown, n: format.number(unknown) })}</span>}
        {groups?.length === 0 && unknown === 0 && <span className={classes["note"]}>{t("command.backNone")}</span>}
        {find.isError && <Refusal>{explain(find.error)}</Refusal>}
      </div>
    </Section>
  );
}
