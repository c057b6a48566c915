import { Checkbox, Popover, UnstyledButton } from "@mantine/core";
import { Layers } from "lucide-react";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { kindWord, tradeWord } from "../../rooms/twin/kindWords";
import { useColumns } from "../../shared/live/live";
import type { LightStore, Tally } from "../../shared/live/store";
import { pictureTime } from "../state/live";
import { useFormat, usePromise } from "../state/server";
import { KindIcon } from "./KindIcon";
import classes from "./LayerPicker.module.css";
import { grouped, useLayers } from "./layers";

type Tallies = ReadonlyMap<string, Tally>;

function same(a: Tallies, b: Tallies): boolean {
  return a.size === b.size && [...a].every(([kind, { total, abnormal }]) => b.get(kind)?.total === total && b.get(kind)?.abnormal === abnormal);
}

/** Which trades and kinds the map shows, with how many there are and how many ask for a person. */
export function LayerPicker() {
  const { t } = useTranslation();
  const format = useFormat();
  const promise = usePromise();
  const { kinds, hidden, show } = useLayers();
  const read = useCallback((store: LightStore): Tallies => store.tally(pictureTime(), promise), [promise]);
  const groups = grouped(kinds.values(), useColumns(read, same));
  const all = groups.flatMap((group) => group.kinds.map(({ kind }) => kind.name));
  const shown = all.filter((name) => !hidden.has(name)).length;
  if (all.length < 2) return null;
  return (
    <Popover position="bottom-start" offset={6} transitionProps={{ duration: 0 }} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes["button"]} data-filtered={shown < all.length || undefined} data-testid="layers" aria-label={t("layer.title")}>
          <Layers size={15} aria-hidden />
          <span>{t("layer.kinds")}</span>
          <span className={classes["count"]}>{shown < all.length ? t("layer.some", { shown, all: all.length }) : format.number(all.length)}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes["panel"] ?? ""} data-testid="layer-panel">
        {groups.map(({ trade, kinds: of }) => {
          const names = of.map(({ kind }) => kind.name);
          const on = names.filter((name) => !hidden.has(name)).length;
          return (
            <fieldset key={trade} className={classes["group"]}>
              <legend className="sr-only">{tradeWord(trade)}</legend>
              <Checkbox
                size="xs" className={classes["trade"] ?? ""} label={tradeWord(trade)} checked={on === names.length} indeterminate={on > 0 && on < names.length}
                onChange={(event) => show(names, event.currentTarget.checked)}
              />
              {of.map(({ kind, total, abnormal }) => (
                <label key={kind.name} className={classes["kind"]} data-testid={`layer-${kind.name}`} data-count={total} data-abnormal={abnormal}>
                  <Checkbox size="xs" checked={!hidden.has(kind.name)} onChange={(event) => show([kind.name], event.currentTarget.checked)} />
                  <KindIcon name={kind.icon} />
                  <span className={classes["name"]}>{kindWord(kind.name)}</span>
                  {abnormal > 0 && <span className={classes["abnormal"]}>{t("layer.abnormal", { n: format.number(abnormal) })}</span>}
                  <span className={classes["total"]}>{format.number(total)}</span>
                </label>
              ))}
            </fieldset>
          );
        })}
        {shown < all.length && <UnstyledButton className={classes["all"]} onClick={() => show(all, true)}>{t("layer.all")}</UnstyledButton>}
      </Popover.Dropdown>
    </Popover>
  );
}
