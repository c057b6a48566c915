import { Anchor, UnstyledButton } from "@mantine/core";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { JournalEntry } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { visible } from "../../shared/visible";
import { useDesk } from "../../console/state/desk";
import { useFormat } from "../../console/state/server";
import { Changes } from "./Changes";
import classes from "./Entry.module.css";
import { actOf, actorOf } from "./wording";

const lateAfter = 2_000;

/** The command that an entry tells of, if any. */
function commandOf(entry: JournalEntry): string | null {
  const named = entry.params["command"] ?? entry.params["command_id"];
  return typeof named === "string" ? named : null;
}

/** One act: when, who, what, why; its changes on demand, or from the beginning. */
export function Entry({ entry, about, opened = false }: { entry: JournalEntry; about?: number; opened?: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(opened);
  const command = commandOf(entry);
  const late = Date.parse(entry.recorded) - Date.parse(entry.occurred) > lateAfter;
  const byPlatform = entry.actor.kind === "system";
  const Chevron = open ? ChevronDown : ChevronRight;
  return (
    <li className={classes["entry"]} data-testid="journal-entry" data-act={entry.act}>
      <div className={classes["line"]}>
        <time dateTime={entry.occurred} className={classes["when"]} title={t("journal.recorded", { time: format.dateTime(entry.recorded) })}>
          {format.dateTime(entry.occurred)}
        </time>
        <span className={classes["who"]}>
          {actorOf(entry)}
          {!byPlatform && entry.actor.role && <span className={classes["role"]}> {word("role", entry.actor.role)}</span>}
        </span>
      </div>
      <div className={classes["act"]}>
        {actOf(entry)}
        {entry.changes_count > 1 && <span className={classes["role"]}> · {t("journal.objects", { count: entry.changes_count, n: format.number(entry.changes_count) })}</span>}
      </div>
      {entry.reason && <div className={classes["reason"]}>{visible(entry.reason)}</div>}
      {late && <div className={classes["role"]}>{t("journal.recorded", { time: format.dateTime(entry.recorded) })}</div>}
      <div className={classes["links"]}>
        {entry.changes_count > 0 && (
          <UnstyledButton className={classes["more"]} aria-expanded={open} onClick={() => setOpen(!open)}>
            <Chevron size={13} aria-hidden /> {t("journal.changes", { count: entry.changes_count, n: format.number(entry.changes_count) })}
          </UnstyledButton>
        )}
        {command && (
          <Anchor component="button" type="button" size="sm" onClick={() => useDesk.getState().openPanel({ kind: "command", id: command })}>
            {t("journal.outcome")}
          </Anchor>
        )}
      </div>
      {open && <Changes entry={entry} {...(about === undefined ? {} : { about })} />}
    </li>
  );
}
