import { Checkbox, Select } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { getJournal } from "../../shared/api/calls";
import { Pages } from "../../shared/ui/Pages";
import { useSession } from "../session/session";
import { Sheet } from "../shell/Sheet";
import { Entry } from "./Entry";
import classes from "./JournalPage.module.css";

/** The rooms whose acts can be asked for apart. */
const rooms = ["control", "twin", "gateways", "access", "places", "journal"] as const;

export default function JournalPage() {
  const { t } = useTranslation();
  const { user } = useSession();
  const [act, setAct] = useState<string | null>(null);
  const [mine, setMine] = useState(false);
  const actor = mine ? user.id : null;
  return (
    <Sheet
      title={t("desk.journal")}
      tools={(
        <>
          <Checkbox label={t("journal.mine")} checked={mine} onChange={(event) => setMine(event.currentTarget.checked)} />
          <Select
            w={260} clearable aria-label={t("journal.filter")} placeholder={t("journal.all")} data-testid="journal-filter" value={act} onChange={setAct}
            data={rooms.map((value) => ({ value, label: t(`journal.room.${value}`) }))}
          />
        </>
      )}
    >
      <Pages
        queryKey={["journal", "all", act, actor]} load={(cursor) => getJournal({ act, actor, cursor })} every={10_000}
        empty={t(act || mine ? "journal.nothing" : "journal.empty")}
      >
        {(entries) => <ol className={classes["entries"]}>{entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ol>}
      </Pages>
    </Sheet>
  );
}
