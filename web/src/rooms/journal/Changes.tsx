import { Anchor, Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { listAssets } from "../twin/calls";
import { getJournalChanges } from "./calls";
import type { Change, JournalEntry } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { openAsset } from "../../console/state/desk";
import { useFormat, useMunicipality } from "../../console/state/server";
import classes from "./Entry.module.css";
import { fieldChanges } from "./change";
import { fieldWord, valueWord } from "./wording";

const asset = "twin.asset";
const namesAtOnce = 100;

/** Equipment by its name and street: a number says nothing to who was there. */
function useNames(changes: readonly Change[]): ReadonlyMap<string, string> {
  const ids = changes.filter(({ object_type: type }) => type === asset).map(({ object_id: id }) => id).slice(0, namesAtOnce);
  const found = useQuery({
    queryKey: ["assets", "names", ids],
    queryFn: () => listAssets({ filter: `id:${ids.join(",")}`, cursor: null, limit: namesAtOnce }),
    enabled: ids.length > 0,
    staleTime: 60_000,
  });
  return new Map(found.data?.items.map(({ id, name, street }) => [String(id), [name, street].filter(Boolean).join(", ")]));
}

function Rows({ change, linked, names }: { change: Change; linked: boolean; names: ReadonlyMap<string, string> }) {
  const { t } = useTranslation();
  const teller = { format: useFormat(), municipality: useMunicipality() };
  const told = (field: string, value: string | null) => (value === null ? null : valueWord(field, value, teller));
  const label = (change.object_type === asset ? names.get(change.object_id) : undefined) ?? `${word("objectType", change.object_type)} ${change.object_id}`;
  const fields = fieldChanges(change.before, change.after);
  return (fields.length ? fields : [{ field: "", before: null, after: null }]).map(({ field, before, after }, i) => (
    <tr key={field}>
      <th scope="row">
        {i === 0 && (linked
          ? <Anchor component="button" type="button" size="xs" onClick={() => openAsset(Number(change.object_id))}>{label}</Anchor>
          : label)}
      </th>
      <td>{field && fieldWord(field)}</td>
      <td>
        {before !== null && <><span className={classes["before"]}><span className="sr-only">{t("journal.before")} </span>{told(field, before)}</span>{" → "}</>}
        {told(field, after) ?? (before !== null ? t("journal.removed") : "")}
      </td>
    </tr>
  ));
}

/** The first changes come with the entry; the rest are asked for. */
export function Changes({ entry, about }: { entry: JournalEntry; about?: number }) {
  const { t } = useTranslation();
  const partial = entry.changes_count > entry.changes.length;
  const rest = useInfiniteQuery({
    queryKey: ["journal", entry.id, "changes"],
    queryFn: ({ pageParam }) => getJournalChanges(entry.id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    enabled: false,
  });
  const all = rest.data?.pages.flatMap((page) => page.items) ?? entry.changes;
  const own = about === undefined ? [] : all.filter((change) => change.object_type === asset && change.object_id === String(about));
  const shown = own.length ? own : all;
  const names = useNames(shown);
  const more = rest.data ? rest.hasNextPage : partial && own.length === 0;
  return (
    <>
      <table className={classes["changes"]}>
        <tbody>
          {shown.map((change, i) => (
            <Rows key={i} change={change} names={names} linked={change.object_type === asset && change.object_id !== String(about)} />
          ))}
        </tbody>
      </table>
      {more && (
        <Button variant="subtle" color="gray" size="compact-xs" loading={rest.isFetching} onClick={() => void (rest.data ? rest.fetchNextPage() : rest.refetch())}>
          {t("action.more")}
        </Button>
      )}
    </>
  );
}
