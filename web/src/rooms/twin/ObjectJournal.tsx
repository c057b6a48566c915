import { useTranslation } from "react-i18next";
import { getAssetJournal } from "./calls";
import { Pages } from "../../shared/ui/Pages";
import { Entry } from "../journal/Entry";
import { Section } from "../../console/shell/Panel";
import classes from "./asset.module.css";

/** Who did what to this object, when, and why. */
export function ObjectJournal({ id }: { id: number }) {
  const { t } = useTranslation();
  return (
    <Section title={t("asset.journal")}>
      <Pages queryKey={["journal", "asset", id]} load={(cursor) => getAssetJournal(id, cursor)} empty={t("journal.empty")} every={10_000}>
        {(entries) => <ol className={classes["entries"]}>{entries.map((entry) => <Entry key={entry.id} entry={entry} about={id} />)}</ol>}
      </Pages>
    </Section>
  );
}
