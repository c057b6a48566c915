import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { listAssets } from "../../rooms/twin/calls";
import type { Asset, Page } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { showLights } from "../map/controller";
import { useDesk } from "../state/desk";
import { lights } from "../state/live";
import { kindsQuery, useFormat, useTerritory } from "../state/server";
import { AssetRows } from "./AssetRows";
import classes from "./List.module.css";
import { fieldOf, withField } from "../../shared/filter";
import { idsAtOnce, pageOfIds } from "./faults";
import { useFoundIds } from "./filter";

const pageSize = 100;
const statuses = ["fault", "silent", "active", "retired"] as const;

/** Equipment as a list, below the map, under the same filter. */
export function ListDrawer() {
  const { t } = useTranslation();
  const format = useFormat();
  const territory = useTerritory();
  const filter = useDesk((desk) => desk.filter);
  const { set, select } = useDesk.getState();
  const [typed, setTyped] = useState(filter);
  const [known, setKnown] = useState(filter);
  if (known !== filter) {
    // Set from elsewhere (the counters): what is typed here follows.
    setKnown(filter);
    if (typed.trim() !== filter) setTyped(filter);
  }
  const input = useRef<HTMLInputElement>(null);
  const apply = useDebouncedCallback((text: string) => set({ filter: text.trim(), listed: null }), 250);
  const change = (text: string) => {
    setTyped(text);
    apply(text);
  };
  useEffect(() => input.current?.focus(), []);

  const listed = useDesk((desk) => desk.listed);
  const [sort, setSort] = useState("");
  const list = useInfiniteQuery({
    queryKey: ["assets", listed ? listed.ids : filter, sort],
    queryFn: async ({ pageParam }): Promise<Page<Asset>> => {
      if (!listed) return listAssets({ filter, cursor: pageParam, limit: pageSize, ...(sort ? { sort } : {}) });
      // What a counter counted is known by identity: asked for a page's worth at a time.
      const page = Number(pageParam ?? 0);
      const ids = pageOfIds(listed.ids, page);
      const { items } = ids.length === 0 ? { items: [] } : await listAssets({ filter: `id:${ids.join(",")}`, cursor: null, limit: pageSize, ...(sort ? { sort } : {}) });
      return { items, total: listed.ids.length, next: (page + 1) * idsAtOnce < listed.ids.length ? String(page + 1) : null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });
  const found = useFoundIds(filter);
  // Only what the live map knows can be selected and commanded.
  const selectable = useMemo(() => (listed ? listed.ids : (found.data ?? [])).filter((id) => lights.get(id) !== null), [found.data, listed]);
  const kinds = useQuery(kindsQuery).data ?? [];
  const items = list.data?.pages.flatMap((page) => page.items);
  const total = list.data?.pages[0]?.total;

  return (
    <section className={classes["drawer"]} aria-label={t("list.title")} data-testid="list-drawer" data-pane="list">
      <header className={classes["head"]}>
        <TextInput
          ref={input} className={classes["filter"] ?? ""} size="xs" aria-label={t("list.filter")} placeholder={t("list.placeholder")} data-testid="list-filter"
          leftSection={<Search size={14} aria-hidden />} value={typed} spellCheck={false} onChange={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
        <Select
          className={classes["kind"] ?? ""} size="xs" w={150} clearable aria-label={t("list.kind")} placeholder={t("list.allKinds")} value={fieldOf(typed, "kind")}
          onChange={(value) => change(withField(typed, "kind", value))} data={kinds.map(({ name }) => ({ value: name, label: word("kind", name) }))}
        />
        <Select
          className={classes["place"] ?? ""} size="xs" w={190} clearable searchable aria-label={t("asset.municipality")} placeholder={t("list.allMunicipalities")}
          value={fieldOf(typed, "municipality")} onChange={(value) => change(withField(typed, "municipality", value))}
          data={territory?.municipalities.map(({ insee, name }) => ({ value: insee, label: name })) ?? []}
        />
        <Select
          size="xs" w={150} clearable aria-label={t("list.status")} placeholder={t("list.anyStatus")} value={fieldOf(typed, "status")}
          onChange={(value) => change(withField(typed, "status", value))} data={statuses.map((status) => ({ value: status, label: t(`list.statuses.${status}`) }))}
        />
        {listed && (
          <Button size="xs" variant="default" data-testid="listed" rightSection={<X size={12} aria-hidden />} aria-label={t("frame.dropTerm", { term: listed.title })} onClick={() => set({ listed: null })}>{listed.title}</Button>
        )}
        <span className={classes["total"]} role="status">{typeof total === "number" && t("list.total", { count: total, n: format.number(total) })}</span>
        {(filter !== "" || listed) && selectable.length > 0 && (
          <Button
            size="xs" variant="default" data-testid="list-select-all"
            onClick={() => {
              select(selectable);
              showLights(selectable);
            }}
          >
            {t("list.selectAll", { count: selectable.length, n: format.number(selectable.length) })}
          </Button>
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={t("action.close")} onClick={() => set({ drawer: false })}><X size={16} /></ActionIcon>
      </header>
      {items ? (
        items.length === 0 ? <Empty title={t("list.empty")} hint={t("list.emptyHint")} />
          : <AssetRows items={items} sort={sort} onSort={setSort} more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined} />
      ) : list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : <Loading />}
    </section>
  );
}
