/** What this person has open and selected. Nothing here comes from the server. */
import { create } from "zustand";

/** A panel in the dock: the rooms say which kinds there are. */
export interface Panel {
  kind: string;
  id?: number | string;
}

export interface Shown {
  normal: boolean;
  failures: boolean;
  silent: boolean;
  pending: boolean;
}

interface Draft {
  level: number;
  reason: string;
}

interface Desk {
  panels: Panel[];
  selection: ReadonlySet<number>;
  /** What a retry carries over into the selection's form. */
  draft: Draft | null;
  shown: Shown;
  boxTool: boolean;
  drawer: boolean;
  filter: string;
  /** The lights that the filter finds; null when there is no filter. */
  found: ReadonlySet<number> | null;
  shortcuts: boolean;
  openPanel: (panel: Panel) => void;
  closePanel: (panel: Panel) => void;
  select: (ids: Iterable<number>, add?: boolean) => void;
  toggleSelected: (id: number) => void;
  clearSelection: () => void;
  retry: (ids: Iterable<number>, draft: Draft) => void;
  toggleShown: (what: keyof Shown) => void;
  set: (part: Partial<Pick<Desk, "boxTool" | "drawer" | "filter" | "found" | "shortcuts" | "draft">>) => void;
}

export function samePanel(a: Panel, b: Panel): boolean {
  return a.kind === b.kind && a.id === b.id;
}

/** One panel of each kind; the newest on top. */
function withPanel(panels: Panel[], panel: Panel): Panel[] {
  return [panel, ...panels.filter((other) => other.kind !== panel.kind)];
}

export const useDesk = create<Desk>((set) => ({
  panels: [],
  selection: new Set<number>(),
  draft: null,
  shown: { normal: true, failures: true, silent: true, pending: true },
  boxTool: false,
  drawer: false,
  filter: "",
  found: null,
  shortcuts: false,

  openPanel: (panel) => set((desk) => ({ panels: withPanel(desk.panels, panel) })),
  closePanel: (panel) =>
    set((desk) => ({
      panels: desk.panels.filter((other) => !samePanel(other, panel)),
      ...(panel.kind === "selection" ? { selection: new Set<number>(), draft: null } : {}),
    })),
  select: (ids, add = false) =>
    set((desk) => {
      const selection = new Set(add ? desk.selection : []);
      for (const id of ids) selection.add(id);
      if (selection.size === 0) return { selection, panels: desk.panels.filter((panel) => panel.kind !== "selection") };
      return { selection, panels: withPanel(desk.panels, { kind: "selection" }) };
    }),
  toggleSelected: (id) =>
    set((desk) => {
      const selection = new Set(desk.selection);
      if (!selection.delete(id)) selection.add(id);
      const panels = selection.size
        ? withPanel(desk.panels, { kind: "selection" })
        : desk.panels.filter((panel) => panel.kind !== "selection");
      return { selection, panels };
    }),
  clearSelection: () =>
    set((desk) => ({
      selection: new Set<number>(),
      draft: null,
      panels: desk.panels.filter((panel) => panel.kind !== "selection"),
    })),
  retry: (ids, draft) =>
    set((desk) => ({ selection: new Set(ids), draft, panels: withPanel(desk.panels, { kind: "selection" }) })),
  toggleShown: (what) => set((desk) => ({ shown: { ...desk.shown, [what]: !desk.shown[what] } })),
  set: (part) => set(part),
}));

export function openAsset(id: number): void {
  useDesk.getState().openPanel({ kind: "asset", id });
}
