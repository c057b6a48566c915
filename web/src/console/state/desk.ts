/** What this person has open and selected. Nothing here comes from the server. */
import { create } from "zustand";

/** A panel in the dock: the rooms say which kinds there are. */
export interface Panel {
  kind: string;
  id?: number | string;
  /** Stays when another of its kind is opened. */
  pinned?: boolean;
}

export interface Shown {
  normal: boolean;
  failures: boolean;
  silent: boolean;
  pending: boolean;
}

/** An order that was given before, to be given again. */
export interface Draft {
  verb: string;
  params: Readonly<Record<string, unknown>>;
  reason: string;
}

/** What is shown where only one of them fits. */
export type Tab = "map" | "list" | "object";

/** A street that was found: its lights can be selected, its line is drawn brighter. */
export interface Street {
  name: string;
  municipality: string;
}

interface Desk {
  panels: Panel[];
  /** Panels stand in two columns. */
  sideBySide: boolean;
  selection: ReadonlySet<number>;
  /** What was selected before: Escape and a slip of the hand do not lose it. */
  recalled: ReadonlySet<number>;
  /** What a retry carries over into the selection's form. */
  draft: Draft | null;
  shown: Shown;
  boxTool: boolean;
  drawer: boolean;
  filter: string;
  /** The list shows exactly these, whatever the filter: what a counter counted, under its name. */
  listed: { ids: readonly number[]; title: string } | null;
  /** The lights that the filter finds; null when there is no filter. */
  found: ReadonlySet<number> | null;
  street: Street | null;
  queueFolded: boolean;
  tab: Tab;
  shortcuts: boolean;
  openPanel: (panel: Panel) => void;
  closePanel: (panel: Panel) => void;
  pinPanel: (panel: Panel, pinned: boolean) => void;
  select: (ids: Iterable<number>, add?: boolean) => void;
  toggleSelected: (id: number) => void;
  clearSelection: () => void;
  /** Takes the selection before this one back; the two change places. */
  recall: () => void;
  retry: (ids: Iterable<number>, draft: Draft) => void;
  toggleShown: (what: keyof Shown) => void;
  set: (part: Partial<Pick<Desk, "boxTool" | "drawer" | "filter" | "found" | "listed" | "street" | "shortcuts" | "draft" | "sideBySide" | "queueFolded" | "tab" | "panels">>) => void;
}

export function samePanel(a: Panel, b: Panel): boolean {
  return a.kind === b.kind && a.id === b.id;
}

/** One panel of each kind, and those that are pinned; the newest on top. */
export function withPanel(panels: readonly Panel[], panel: Panel): Panel[] {
  const before = panels.find((other) => samePanel(other, panel));
  const kept = panels.filter((other) => !samePanel(other, panel) && (other.kind !== panel.kind || other.pinned));
  return [before?.pinned ? { ...panel, pinned: true } : panel, ...kept];
}

const without = (panels: readonly Panel[], kind: string): Panel[] => panels.filter((panel) => panel.kind !== kind);
const none: ReadonlySet<number> = new Set<number>();
/** The tab that is left when nothing is open any more. */
const back = (tab: Tab, panels: readonly Panel[]): Tab => (tab === "object" && panels.length === 0 ? "map" : tab);

/** The panels and tab that go with a selection; what was selected before can be recalled. */
function selected(desk: Desk, selection: ReadonlySet<number>): Partial<Desk> {
  const recalled = desk.selection.size > 0 && selection.size === 0 ? desk.selection : desk.recalled;
  if (selection.size > 0) return { selection, panels: withPanel(desk.panels, { kind: "selection" }), tab: "object" };
  const panels = without(desk.panels, "selection");
  return { selection, recalled, panels, draft: null, tab: back(desk.tab, panels) };
}

export const useDesk = create<Desk>((set) => ({
  panels: [],
  sideBySide: false,
  selection: none,
  recalled: none,
  draft: null,
  shown: { normal: true, failures: true, silent: true, pending: true },
  boxTool: false,
  drawer: false,
  filter: "",
  listed: null,
  found: null,
  street: null,
  queueFolded: false,
  tab: "map",
  shortcuts: false,

  openPanel: (panel) => set((desk) => ({ panels: withPanel(desk.panels, panel), tab: "object" })),
  closePanel: (panel) =>
    set((desk) => {
      if (panel.kind === "selection") return selected(desk, none);
      const panels = desk.panels.filter((other) => !samePanel(other, panel));
      return { panels, tab: back(desk.tab, panels) };
    }),
  pinPanel: (panel, pinned) => set((desk) => ({ panels: desk.panels.map((other) => (samePanel(other, panel) ? { ...other, pinned } : other)) })),
  select: (ids, add = false) =>
    set((desk) => {
      const selection = new Set(add ? desk.selection : []);
      for (const id of ids) selection.add(id);
      return { ...selected(desk, selection), ...(!add && desk.selection.size > 0 ? { recalled: desk.selection } : {}) };
    }),
  toggleSelected: (id) =>
    set((desk) => {
      const selection = new Set(desk.selection);
      if (!selection.delete(id)) selection.add(id);
      return selected(desk, selection);
    }),
  clearSelection: () => set((desk) => selected(desk, none)),
  recall: () =>
    set((desk) => (desk.recalled.size === 0 ? {} : { ...selected(desk, desk.recalled), recalled: desk.selection })),
  retry: (ids, draft) =>
    set((desk) => ({ ...selected(desk, new Set(ids)), draft })),
  toggleShown: (what) => set((desk) => ({ shown: { ...desk.shown, [what]: !desk.shown[what] } })),
  set: (part) => set(part),
}));

export function openAsset(id: number): void {
  useDesk.getState().openPanel({ kind: "asset", id });
}
