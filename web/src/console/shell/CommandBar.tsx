import { Combobox, Kbd, Loader, TextInput, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Box, ChevronRight, House, Lightbulb, type LucideIcon, MapPinned, Route, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { search } from "../../rooms/twin/calls";
import type { SearchItem } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { showBox, showPoint } from "../map/controller";
import { useDesks, useRoomVerbs } from "../frame/rooms";
import { useCan } from "../session/session";
import { openAsset, useDesk } from "../state/desk";
import classes from "./CommandBar.module.css";
import { focusTopPanel } from "./focus";
import { allVerbs, matching, selectIn } from "./verbs";

const icons: Partial<Record<string, LucideIcon>> = { address: House, asset: Lightbulb, street: Route, municipality: MapPinned };
const mostVerbs = 5;
/** On a phone the answers are wider than the field. */
const narrow = window.matchMedia("(max-width: 768px)").matches;
const touch = window.matchMedia("(hover: none)").matches;

function go(item: SearchItem): void {
  if (item.bbox) showBox(item.bbox, item.type === "municipality" ? 14 : 17);
  else showPoint(item.point, item.type === "asset" || item.type === "address" ? 18 : 16);
  useDesk.getState().set({ street: item.type === "street" ? { name: item.label, municipality: item.detail } : null });
  if (item.type !== "asset") return;
  openAsset(Number(item.id));
  focusTopPanel();
}

/** Find or do anything. */
export function CommandBar() {
  const { t } = useTranslation();
  const can = useCan();
  const desks = useDesks();
  const roomVerbs = useRoomVerbs();
  const [path, navigate] = useLocation();
  const [words, setWords] = useState("");
  const [asked] = useDebouncedValue(words.trim(), 120);
  const combobox = useCombobox({
    onDropdownClose: () => combobox.resetSelectedOption(),
    onDropdownOpen: () => combobox.updateSelectedOptionIndex(),
  });
  const found = useQuery({
    queryKey: ["search", asked],
    queryFn: ({ signal }) => search(asked, signal),
    enabled: asked.length > 0,
    placeholderData: keepPreviousData,
  });
  const items = words.trim() ? (found.data?.items ?? []) : [];
  const known = combobox.dropdownOpened ? matching(allVerbs(desks, roomVerbs, navigate), words).slice(0, words.trim() ? mostVerbs : 12) : [];
  const place = can("control.command") ? items.find(({ type }) => type === "street" || type === "municipality") : undefined;
  const verbs = place && combobox.dropdownOpened ? [selectIn(place), ...known] : known;
  const settled = asked === words.trim() && !found.isFetching;

  const submit = (value: string) => {
    const [group, index] = value.split(":");
    combobox.closeDropdown();
    setWords("");
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    if (group === "verb") {
      verbs[Number(index)]?.run();
      return;
    }
    const item = items[Number(index)];
    if (!item) return;
    if (path !== "/") navigate("/");
    go(item);
  };

  return (
    <Combobox store={combobox} onOptionSubmit={submit} transitionProps={{ duration: 0 }} offset={4} width={narrow ? window.innerWidth - 16 : "target"} position="bottom-start">
      <Combobox.Target>
        <TextInput
          className={classes["bar"] ?? ""} data-command-bar data-testid="search-input" aria-label={t("bar.label")} placeholder={t("bar.placeholder")}
          leftSection={found.isFetching && asked ? <Loader size={14} color="gray" /> : <Search size={15} aria-hidden />}
          rightSection={touch ? null : <Kbd size="xs" aria-hidden>Ctrl K</Kbd>} rightSectionWidth={touch ? 8 : 62} value={words} spellCheck={false}
          onChange={(event) => {
            setWords(event.currentTarget.value);
            combobox.openDropdown();
            combobox.selectFirstOption();
          }}
          onFocus={() => combobox.openDropdown()} onClick={() => combobox.openDropdown()} onBlur={() => combobox.closeDropdown()}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              setWords("");
              event.currentTarget.blur();
            } else if (event.key === "Enter" && combobox.getSelectedOptionIndex() < 0) combobox.selectFirstOption();
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={420} style={{ overflowY: "auto" }}>
          {items.length > 0 && (
            <Combobox.Group label={t("bar.found")}>
              {items.map((item, i) => {
                const Icon = icons[item.type] ?? Box;
                return (
                  <Combobox.Option key={`${item.type}-${item.id}`} value={`item:${i}`} data-testid="search-result" data-type={item.type}>
                    <span className={classes["option"]}>
                      <Icon size={15} aria-hidden />
                      <span className={classes["label"]}>{item.label}</span>
                      <span className={classes["detail"]}>{item.detail || t(`bar.${item.type}`)}</span>
                    </span>
                  </Combobox.Option>
                );
              })}
            </Combobox.Group>
          )}
          {verbs.length > 0 && (
            <Combobox.Group label={t("bar.verbs")}>
              {verbs.map((verb, i) => (
                <Combobox.Option key={verb.id} value={`verb:${i}`}>
                  <span className={classes["option"]}><ChevronRight size={15} aria-hidden /><span className={classes["label"]}>{verb.label}</span></span>
                </Combobox.Option>
              ))}
            </Combobox.Group>
          )}
          {found.isError && <Combobox.Empty>{explain(found.error)}</Combobox.Empty>}
          {settled && !found.isError && items.length === 0 && verbs.length === 0 && <Combobox.Empty>{t("bar.nothing", { words: words.trim() })}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
