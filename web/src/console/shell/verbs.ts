/** What the command bar can do besides finding: each verb by its words. */
import { findAssetIds } from "../../rooms/twin/calls";
import type { SearchItem, Territory } from "../../shared/api/types";
import i18next from "i18next";
import { setLanguage } from "../../shared/i18n";
import { quote } from "../../shared/filter";
import { showBox, showLights } from "../map/controller";
import { word } from "../../shared/i18n/words";
import type { BarVerb, DeskSpec } from "../frame/room";
import { leave } from "../session/session";
import { useDesk } from "../state/desk";
import { queryClient, territoryQuery } from "../state/server";
import { lights } from "../state/live";
import { focusTopPanel } from "./focus";

export interface Verb {
  id: string;
  label: string;
  run: () => void;
}

/** Case and accents do not matter to someone in a hurry. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

export function allVerbs(desks: readonly DeskSpec[], ofRooms: readonly BarVerb[], navigate: (path: string) => void): Verb[] {
  const t = i18next.t.bind(i18next);
  const desk = useDesk.getState();
  const verbs: Verb[] = desks.map(({ name, path }) => ({
    id: `go-${name}`, label: t("verb.go", { desk: word("desk", name) }), run: () => navigate(path),
  }));
  verbs.push(
    ...ofRooms.map(({ name, run }) => ({ id: `room-${name}`, label: word("verb", name), run: () => run(navigate) })),
    { id: "list", label: t(desk.drawer ? "verb.closeList" : "verb.openList"), run: () => desk.set({ drawer: !desk.drawer }) },
    { id: "box", label: t("verb.box"), run: () => desk.set({ boxTool: true }) },
    {
      id: "whole", label: t("verb.whole"),
      run: () => {
        const box = queryClient.getQueryData<Territory>(territoryQuery.queryKey)?.bbox;
        if (box) showBox(box);
      },
    },
    { id: "language", label: t("language.switch"), run: () => void setLanguage(i18next.language === "fr" ? "en" : "fr") },
    { id: "shortcuts", label: t("shortcuts.title"), run: () => desk.set({ shortcuts: true }) },
    { id: "logout", label: t("user.logout"), run: () => void leave() },
  );
  if (desk.selection.size) verbs.unshift({ id: "clear", label: t("verb.clear", { count: desk.selection.size }), run: desk.clearSelection });
  return verbs;
}

/** The filter that finds the lights of a street or a municipality. */
export function lightsOf(place: SearchItem): string {
  if (place.type === "municipality") return `kind:Streetlight municipality:${quote(place.label)}`;
  return `kind:Streetlight street:${quote(place.label)} municipality:${quote(place.detail)}`;
}

/** Selecting without a mouse: all the lights of a place found by name. */
export function selectIn(place: SearchItem): Verb {
  const run = async () => {
    const ids = (await findAssetIds(lightsOf(place))).filter((id) => lights.get(id) !== null);
    useDesk.getState().select(ids);
    showLights(ids);
    focusTopPanel();
  };
  return { id: "select-in", label: i18next.t("verb.selectIn", { place: [place.label, place.type === "street" && place.detail].filter(Boolean).join(", ") }), run: () => void run().catch(() => undefined) };
}

export function matching(verbs: Verb[], words: string): Verb[] {
  const wanted = fold(words).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return verbs;
  return verbs.filter(({ label }) => wanted.every((word) => fold(label).split(/[\s:’']+/).some((part) => part.startsWith(word))));
}
