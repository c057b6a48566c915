import { Checkbox, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Search } from "lucide-react";
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
  const [typed, setTyped] = useState("");
  const [filter] = useDebouncedValue(typed.trim(), 300);
  const actor = mine ? user.id : null;
  return (
    <Sheet
      title={t("desk.journal")}
      tools={(
        <>
          <Checkbox label={t("journal.mine")} checked={mine} onChange={(event) => setMine(event.currentTarget.checked)} />
          <TextInput
            w={300} aria-label={t("journal.filter")} placeholder={t("journal.filterPlaceholder")} leftSection={<Search size={15} aria-hidden />}
            data-testid="journal-filter" value={typed} onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Select
            w={190} clearable aria-label={t("journal.kind")} placeholder={t("journal.all")} value={act} onChange={setAct}
            data={rooms.map((value) => ({ value, label: t(`journal.room.${value}`) }))}
          />
        </>
      )}
    >
      <Pages
        queryKey={["journal", "all", filter, act, actor]} load={(cursor) => getJournal({ filter, act, actor, cursor })} every={10_000}
        empty={t(act || mine || filter ? "journal.nothing" : "journal.empty")}
      >
        {(entries) => <ol className={classes["entries"]}>{entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ol>}
      </Pages>
    </Sheet>
  );
}
