import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Rows.module.css";
import { type Column, fitting, tracks } from "./columns";
import { directionOf, nextSort } from "./listState";

export type { Column } from "./columns";

/** As `--v-row-size`: fingers need more. */
const rowHeight = window.matchMedia("(pointer: coarse)").matches ? 44 : 32;
const nearEnd = 20;

export interface RowsProps<T> {
  gridRef: RefObject<HTMLDivElement | null>;
  items: readonly T[];
  ids: readonly string[];
  current: number;
  more: (() => void) | undefined;
  label: string;
  columns: readonly Column<T>[];
  sort: string;
  onSort: (sort: string) => void;
  onOpen: (index: number) => void;
}

/** A table of any length. One stop for Tab; which row is current is the page's to say. */
export function Rows<T>({ gridRef, items, ids, current, more, label, columns, sort, onSort, onOpen }: RowsProps<T>) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const { ref: measured, width } = useElementSize<HTMLDivElement>();
  const ref = useMergedRef(gridRef, measured);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer's own reading of scroll is wanted here
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 10 });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= items.length - nearEnd) more();
  }, [more, last, items.length]);
  useEffect(() => rows.scrollToIndex(current), [rows, current]);

  const fit = fitting(columns, width || 1_000);
  const template = { gridTemplateColumns: tracks(fit) };
  return (
    <div
      ref={ref} className={classes["grid"]} role="grid" aria-label={label} aria-rowcount={items.length + 1} tabIndex={0}
      aria-activedescendant={`row-${ids[current] ?? ""}`} data-testid="list-grid"
    >
      <div className={classes["head"]} role="row" aria-rowindex={1} style={template}>
        {fit.map((column) => {
          const direction = column.sort ? directionOf(sort, column.sort) : "none";
          const { sort: by } = column;
          return (
            <div key={column.key} role="columnheader" aria-sort={column.sort ? direction : undefined} data-align={column.align}>
              {by === undefined ? column.title : (
                <button type="button" className={classes["sort"]} title={t("frame.sort", { column: column.title })} onClick={() => onSort(nextSort(sort, by))}>
                  {column.title}
                  {direction === "ascending" && <ArrowUp size={12} aria-hidden />}
                  {direction === "descending" && <ArrowDown size={12} aria-hidden />}
                </button>
              )}
            </div>
          );
        })}
      </div>
      <div ref={scroller} className={classes["scroller"]} role="rowgroup" tabIndex={-1}>
        <div role="presentation" style={{ height: rows.getTotalSize(), position: "relative" }}>
          {shown.map(({ index, start }) => {
            const item = items[index];
            const id = ids[index];
            if (item === undefined || id === undefined) return null;
            return (
              <div
                key={id} id={`row-${id}`} role="row" aria-rowindex={index + 2} aria-selected={index === current} className={classes["row"]}
                style={{ ...template, transform: `translateY(${start}px)`, height: rowHeight }} data-current={index === current || undefined} data-testid="row" data-id={id}
                onClick={() => onOpen(index)}
              >
                {fit.map((column) => <div key={column.key} role="gridcell" data-align={column.align}>{column.cell(item)}</div>)}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
