import { Checkbox, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Asset } from "../../shared/api/types";
import { conditionOf } from "../../shared/live/condition";
import { Shape } from "../../shared/ui/Shape";
import { directionOf, nextSort } from "../frame/listState";
import { showPoint } from "../map/controller";
import { openAsset, useDesk } from "../state/desk";
import { lights, pictureTime, useLight, useNow } from "../state/live";
import { metricOf, useFormat, useKind, useMunicipality, usePromise } from "../state/server";
import classes from "./List.module.css";

/** As `--v-row-size`: fingers need more. */
const rowHeight = window.matchMedia("(pointer: coarse)").matches ? 44 : 32;

const Cells = memo(function Cells({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const format = useFormat();
  const municipality = useMunicipality();
  const light = useLight(asset.id);
  const promise = usePromise();
  const now = useNow() / 1000;
  const judged = pictureTime();
  const kind = useKind(asset.kind);
  const power = light && !Number.isNaN(light.power) ? light.power : (asset.state["activePower"]?.value ?? null);
  const times = Object.values(asset.state).map(({ at: when }) => (when ? Date.parse(when) / 1000 : NaN)).filter((when) => !Number.isNaN(when));
  const at = light && !Number.isNaN(light.at) ? light.at : times.length ? Math.max(...times) : null;
  const condition = light ? conditionOf(light.flags, light.at, judged, promise) : null;
  return (
    <>
      <span role="gridcell" className={classes["name"]}>{asset.name}</span>
      <span role="gridcell">{asset.street}</span>
      <span role="gridcell">{asset.municipality && municipality(asset.municipality)}</span>
      <span role="gridcell" className={classes["sign"]}>{condition && <><Shape condition={condition} />{t(`condition.${condition}`)}</>}</span>
      <span role="gridcell" className={classes["number"]}>{light && !Number.isNaN(light.level) ? format.percent(light.level) : "–"}</span>
      <span role="gridcell" className={classes["number"]}>{power === null ? "–" : format.quantity(power, metricOf(kind, "activePower")?.unit ?? "W")}</span>
      <span role="gridcell" className={classes["age"]}>{at === null ? t("age.never") : format.age(now - at)}</span>
    </>
  );
});

/** One stop for Tab; arrows move, Enter opens, Space selects. */
interface Props {
  items: Asset[];
  more: (() => void) | undefined;
  sort: string;
  onSort: (sort: string) => void;
}

/** What the server can order by; the rest is live, and its order would change under the eye. */
const sortable: readonly string[] = ["name", "street", "municipality"];

export function AssetRows({ items, more, sort, onSort }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const selection = useDesk((desk) => desk.selection);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer's own reading of scroll is wanted here
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 8 });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= items.length - 20) more();
  }, [more, last, items.length]);

  const go = (to: number) => {
    const index = Math.max(0, Math.min(items.length - 1, to));
    setCurrent(index);
    rows.scrollToIndex(index);
  };
  const open = (asset: Asset) => {
    openAsset(asset.id);
    showPoint(asset.point);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const asset = items[current];
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -items.length, End: items.length };
    const move = moves[event.key];
    if (move !== undefined) go(current + move);
    else if (event.key === "Enter" && asset) open(asset);
    else if (event.key === " " && asset && lights.get(asset.id)) useDesk.getState().toggleSelected(asset.id);
    else return;
    event.preventDefault();
  };
  const columns = ["name", "street", "municipality", "condition", "level", "power", "age"] as const;

  return (
    <div className={classes["grid"]} role="grid" aria-label={t("list.title")} aria-rowcount={items.length} tabIndex={0} onKeyDown={onKeyDown} aria-activedescendant={`row-${items[current]?.id ?? 0}`}>
      <div className={classes["header"]} role="row">
        <span role="columnheader" aria-label={t("list.selected")} />
        {columns.map((column) => (
          <span key={column} role="columnheader" className={classes[column]} aria-sort={sortable.includes(column) ? directionOf(sort, column) : undefined}>
            {sortable.includes(column) ? (
              <UnstyledButton className={classes["sort"] ?? ""} tabIndex={-1} title={t("frame.sort", { column: t(`list.column.${column}`) })} data-testid={`list-sort-${column}`} onClick={() => onSort(nextSort(sort, column))}>
                {t(`list.column.${column}`)}{directionOf(sort, column) === "ascending" ? " ↑" : directionOf(sort, column) === "descending" ? " ↓" : ""}
              </UnstyledButton>
            ) : t(`list.column.${column}`)}
          </span>
        ))}
      </div>
      <div ref={scroller} className={classes["scroller"]} tabIndex={-1}>
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {visible.map(({ index, start }) => {
            const asset = items[index];
            if (!asset) return null;
            return (
              <div
                key={asset.id} id={`row-${asset.id}`} role="row" aria-rowindex={index + 1} aria-selected={selection.has(asset.id)} className={classes["row"]}
                data-current={index === current || undefined} data-testid="list-row" style={{ transform: `translateY(${start}px)` }}
                onClick={() => {
                  setCurrent(index);
                  open(asset);
                }}
              >
                <span role="gridcell" onClick={(event) => event.stopPropagation()}>
                  <Checkbox size="xs" tabIndex={-1} aria-label={t("list.select", { name: asset.name })} checked={selection.has(asset.id)} disabled={lights.get(asset.id) === null} onChange={() => useDesk.getState().toggleSelected(asset.id)} />
                </span>
                <Cells asset={asset} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
