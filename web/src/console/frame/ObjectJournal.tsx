import { Suspense, lazy } from "react";
import { useTranslation } from "react-i18next";
import { Pages } from "../../shared/ui/Pages";
import { getObjectJournal } from "../../rooms/journal/calls";
import { useCan } from "../session/session";
import { DetailSection } from "./DetailPanel";

const Entry = lazy(async () => ({ default: (await import("../../rooms/journal/Entry")).Entry }));

/** Who did what to this object, when, and why. */
export function ObjectJournal({ type, id }: { type: string; id: string }) {
  const { t } = useTranslation();
  const can = useCan();
  if (!can("journal.read")) return null;
  return (
    <DetailSection title={t("frame.journal")}>
      <Pages queryKey={["journal", type, id]} load={(cursor) => getObjectJournal(type, id, cursor)} empty={t("frame.noJournal")} every={10_000}>
        {(entries) => (
          <Suspense>
            <ol style={{ margin: 0, padding: 0, listStyle: "none" }}>{entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ol>
          </Suspense>
        )}
      </Pages>
    </DetailSection>
  );
}
