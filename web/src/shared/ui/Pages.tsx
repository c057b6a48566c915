/** Pages of a long list: loading, failure, emptiness and 'more' handled alike everywhere. */
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Page } from "../api/types";
import { Empty, Failed, Loading } from "./States";

interface Props<T> {
  queryKey: readonly unknown[];
  load: (cursor: string | null) => Promise<Page<T>>;
  empty: string;
  hint?: string;
  /** Asks again by itself while only the first page is open; reading further is never disturbed. */
  every?: number;
  children: (items: T[]) => ReactNode;
}

export function Pages<T>({ queryKey, load, empty, hint, every, children }: Props<T>) {
  const { t } = useTranslation();
  const pages = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (query) => (every && (query.state.data?.pages.length ?? 0) <= 1 ? every : false),
  });
  const items = pages.data?.pages.flatMap((page) => page.items);
  if (!items) return pages.isError ? <Failed error={pages.error} retry={() => void pages.refetch()} /> : <Loading />;
  if (items.length === 0) return hint ? <Empty title={empty} hint={hint} /> : <Empty title={empty} />;
  return (
    <>
      {children(items)}
      {pages.hasNextPage && (
        <Button variant="subtle" color="gray" fullWidth my={8} loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t("action.more")}
        </Button>
      )}
    </>
  );
}
