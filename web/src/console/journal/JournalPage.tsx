import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { getJournal } from "../../shared/api/calls";
import { Pages } from "../../shared/ui/Pages";
import { Sheet } from "../shell/Sheet";
import { Entry } from "./Entry";
import classes from "./JournalPage.module.css";

export default function JournalPage() {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [filter] = useDebouncedValue(typed.trim(), 250);
  return (
    <Sheet
      title={t("desk.journal")}
      tools={(
        <TextInput
          w={340} aria-label={t("journal.filter")} placeholder={t("journal.filterPlaceholder")} leftSection={<Search size={15} aria-hidden />}
          data-testid="journal-filter" value={typed} onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    >
      <Pages
        queryKey={["journal", "all", filter]} load={(cursor) => getJournal({ filter, cursor })} every={10_000}
        empty={t(filter ? "journal.nothing" : "journal.empty")}
      >
        {(entries) => <ol className={classes["entries"]}>{entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ol>}
      </Pages>
    </Sheet>
  );
}
