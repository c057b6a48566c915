/**
 * A desk that is a list: columns, order, the one filter language, pages as one scrolls, and beside it the object that is
 * open. All of it is in the address, so that a colleague sees the same. While an object is open, the list is a queue.
 */
import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Download, PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { ApiError } from "../../shared/api/errors";
import type { Page } from "../../shared/api/types";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { Sheet } from "../shell/Sheet";
import { useDesk } from "../state/desk";
import { useFormat } from "../state/server";
import { FilterBar, type FilterSpec } from "./FilterBar";
import classes from "./ListPage.module.css";
import { Queue, type QueueRow } from "./Queue";
import { type Column, Rows } from "./Rows";
import { type SavedViews, Views } from "./Views";
import { inDialogue } from "./dialogue";
import { goKeys, kept, moved, plainKey, typing } from "./keys";
import { addressOf, objectIn, readState, writeState } from "./listState";
import { OpenObject } from "./openObject";

export interface ListQuery {
  filter: string;
  sort: string;
  cursor: string | null;
  limit: number;
}

export interface ListPageProps<T> {
  title: string;
  /** The desk's address. */
  path: string;
  /** The beginning of the query's key; live topics invalidate by it. */
  queryKey: readonly unknown[];
  load: (query: ListQuery) => Promise<Page<T>>;
  id: (row: T) => string;
  columns: readonly Column<T>[];
  /** How a row looks in the queue, while another object is open. */
  queue: (row: T) => QueueRow;
  /** The object's panel; without it rows cannot be opened. */
  detail?: (id: string) => ReactNode;
  filter?: FilterSpec;
  initialSort?: string;
  /** Where the whole list is downloaded, under the same filter and order. */
  exportHref?: (query: Pick<ListQuery, "filter" | "sort">) => string;
  views?: SavedViews;
  tools?: ReactNode;
  /** A line above the rows: what this list is. */
  intro?: string;
  /** What one writes or does above the rows: a form that adds one. */
  head?: ReactNode;
  empty: string;
  emptyHint?: string;
  /** Asks again by itself, while only the first page is open. Live topics are better. */
  every?: number;
}

const pageSize = 100;

/** A filter that the server does not understand is the person's to mend: it is shown where it was typed. */
function filterFault(error: unknown): ApiError | null {
  return error instanceof ApiError && (error.status === 400 || error.status === 422) ? error : null;
}

export function ListPage<T>(props: ListPageProps<T>) {
  const { title, path, queryKey, load, id, columns, queue, detail, filter, initialSort = "", exportHref, views, tools, intro, head, empty, emptyHint, every } = props;
  const { t } = useTranslation();
  const format = useFormat();
  const [here, navigate] = useLocation();
  const folded = useDesk((desk) => desk.queueFolded);
  const search = useSearch();
  const state = readState(search, initialSort);
  const open = detail ? objectIn(path, here) : null;
  const grid = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);

  const list = useInfiniteQuery({
    queryKey: [...queryKey, "list", state.filter, state.sort],
    queryFn: ({ pageParam }) => load({ ...state, cursor: pageParam, limit: pageSize }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (every && (query.state.data?.pages.length ?? 0) <= 1 ? every : false),
  });
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const ids = useMemo(() => items.map(id), [items, id]);
  const total = list.data?.pages[0]?.total;
  const fault = list.isError ? filterFault(list.error) : null;

  // The cursor stays with its row when others come in above it.
  const [cursor, setCursor] = useState<{ id: string | null; index: number }>({ id: open, index: 0 });
  const current = kept(ids, cursor.id, cursor.index);
  const place = (index: number) => setCursor({ id: ids[index] ?? null, index });

  const put = (next: { filter?: string; sort?: string }) =>
    navigate(here + writeState(search, { ...state, ...next }, initialSort), { replace: true });
  const show = (index: number, replace = false) => {
    const wanted = ids[index];
    if (wanted === undefined) return;
    place(index);
    if (detail) navigate(addressOf(path, wanted) + writeState(search, state, initialSort), { replace });
  };
  const choose = useCallback((query: string, replace: boolean) => {
    navigate(path + (query ? `?${query}` : ""), { replace });
  }, [navigate, path]);
  const toRows = () => grid.current?.focus();
  const close = useCallback(() => {
    navigate(path + (search ? `?${search}` : ""));
  }, [navigate, path, search]);

  const wantsFocus = useRef(false);
  const opened = useMemo(() => ({
    close,
    takeFocus: () => {
      const wanted = wantsFocus.current;
      wantsFocus.current = false;
      return wanted;
    },
  }), [close]);

  // The rows have the keyboard from the beginning.
  const filled = items.length > 0;
  useEffect(() => {
    if (filled && !typing(document.activeElement)) grid.current?.focus({ preventScroll: true });
  }, [filled]);
  // What had the focus goes when an object opens or closes: the rows take it, unless the object already has.
  const alone = open === null;
  useEffect(() => {
    if (document.activeElement === document.body) grid.current?.focus({ preventScroll: true });
  }, [alone]);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (inDialogue() || !plainKey(event) || event.defaultPrevented) return;
    if (event.key === "Escape" && open !== null && !typing(event.target)) {
      event.preventDefault();
      close();
      return;
    }
    if (typing(event.target) || goKeys.pending(event.timeStamp)) return;
    const onRows = event.target === grid.current;
    const to = onRows || event.key === "j" || event.key === "k" ? moved(event.key, current, ids.length) : null;
    if (to !== null) {
      if (open !== null) show(to, true);
      else place(to);
      if (!onRows) toRows();
    } else if (event.key === "Enter" && onRows) {
      const head = open !== null && open === ids[current] ? document.querySelector<HTMLElement>("[data-object] h2") : null;
      wantsFocus.current = head === null && detail !== undefined;
      if (head) head.focus();
      else show(current);
    } else if (event.key === "f" && filter) field.current?.focus();
    else return;
    event.preventDefault();
  };

  const more = list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined;
  const shared = { gridRef: grid, items, ids, current, more, label: title };
  const body = items.length > 0 ? (
    open === null
      ? <Rows {...shared} columns={columns} sort={state.sort} onSort={(sort) => put({ sort })} onOpen={detail ? show : place} />
      : <Queue {...shared} open={open} row={queue} onOpen={(index) => show(index, true)} />
  ) : list.isPending ? <Loading />
    : list.isError && !fault ? <Failed error={list.error} retry={() => void list.refetch()} />
    : fault ? null
    : state.filter ? <Empty title={t("frame.nothing")} hint={t("frame.nothingHint")} />
    : <Empty title={empty} {...(emptyHint ? { hint: emptyHint } : {})} />;

  return (
    <Sheet
      title={title} wide={open !== null} onKeyDown={onKeyDown}
      aside={typeof total === "number" ? format.number(total) : undefined}
      tools={(
        <>
          {tools}
          {views && <Views views={views} search={search} fresh={here === path && search === ""} onChoose={choose} />}
          {exportHref && (
            <Tooltip label={t("frame.export")}>
              <ActionIcon component="a" href={exportHref(state)} download variant="subtle" color="gray" aria-label={t("frame.export")}><Download size={16} /></ActionIcon>
            </Tooltip>
          )}
        </>
      )}
    >
      <div className={classes["page"]} data-open={open !== null || undefined} data-folded={(open !== null && folded) || undefined}>
        {open !== null && (
          <ActionIcon className={classes["fold"] ?? ""} variant="subtle" color="gray" aria-label={t(folded ? "frame.unfoldQueue" : "frame.foldQueue")} title={t(folded ? "frame.unfoldQueue" : "frame.foldQueue")} aria-expanded={!folded} data-testid="queue-fold" onClick={() => useDesk.getState().set({ queueFolded: !folded })}>
            {folded ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
          </ActionIcon>
        )}
        <div className={classes["list"]}>
          {open === null && head}
          {filter && (
            <FilterBar
              key={path} fieldRef={field} spec={filter} value={state.filter} onChange={(text) => put({ filter: text })} onLeave={toRows}
              fault={fault}
            />
          )}
          {intro && open === null && <p className={classes["intro"]}>{intro}</p>}
          {list.isError && !fault && items.length > 0 && (
            <p className={classes["old"]} role="alert">
              {t("frame.old")} <Button size="compact-xs" variant="default" onClick={() => void list.refetch()}>{t("action.retry")}</Button>
            </p>
          )}
          <div className={classes["rows"]} data-old={list.isPlaceholderData || undefined}>{body}</div>
        </div>
        {open !== null && detail && <OpenObject value={opened}><div className={classes["object"]} data-object key={open}>{detail(open)}</div></OpenObject>}
      </div>
    </Sheet>
  );
}
