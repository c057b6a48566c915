import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Queue.module.css";

/** Mark, title and age; place and owner below them. What waits for somebody is bold. */
export interface QueueRow {
  mark?: ReactNode;
  title: string;
  age?: ReactNode;
  line?: string;
  end?: ReactNode;
  waits?: boolean;
}

const rowHeight = 56;
const nearEnd = 20;

interface Props<T> {
  gridRef: RefObject<HTMLDivElement | null>;
  items: readonly T[];
  ids: readonly string[];
  current: number;
  more: (() => void) | undefined;
  label: string;
  row: (item: T) => QueueRow;
  open: string | null;
  onOpen: (index: number) => void;
  /** New rows that wait behind a button, so that nothing moves under the hand. */
  waiting?: number;
  onShowWaiting?: () => void;
}

/** What is to be done, beside the object at work. */
export function Queue<T>({ gridRef, items, ids, current, more, label, row, open, onOpen, waiting = 0, onShowWaiting }: Props<T>) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer's own reading of scroll is wanted here
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 6 });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= items.length - nearEnd) more();
  }, [more, last, items.length]);
  useEffect(() => rows.scrollToIndex(current), [rows, current]);
  return (
    <>
      {waiting > 0 && <button type="button" className={classes["waiting"]} onClick={onShowWaiting}>{t("frame.waiting", { count: waiting })}</button>}
      <div
        ref={gridRef} className={classes["queue"]} role="listbox" aria-label={label} tabIndex={0} data-testid="queue"
        aria-activedescendant={`queue-${ids[current] ?? ""}`}
      >
        <div ref={scroller} className={classes["scroller"]} tabIndex={-1}>
          <div style={{ height: rows.getTotalSize(), position: "relative" }}>
            {shown.map(({ index, start }) => {
              const item = items[index];
              const id = ids[index];
              if (item === undefined || id === undefined) return null;
              const { mark, title, age, line, end, waits } = row(item);
              return (
                <div
                  key={id} id={`queue-${id}`} role="option" aria-selected={id === open} className={classes["row"]} data-current={index === current || undefined}
                  data-testid="queue-row" data-id={id} style={{ transform: `translateY(${start}px)`, height: rowHeight }} onClick={() => onOpen(index)}
                >
                  {mark !== undefined && <span className={classes["mark"]}>{mark}</span>}
                  <span className={classes["title"]} data-waits={waits || undefined} title={title}>{title}</span>
                  <span className={classes["age"]}>{age}</span>
                  <span className={classes["line"]} title={line}>{line}</span>
                  <span className={classes["end"]}>{end}</span>
                </div>
              );
            })}
          </div>
        </div>
      </div>
    </>
  );
}
