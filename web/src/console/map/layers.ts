/** Which kinds the map shows, what it knows of kinds, and the tool in hand. Nothing here comes from the live store. */
import { create } from "zustand";
import type { KindSpec } from "../../shared/api/types";

interface Layers {
  kinds: ReadonlyMap<string, KindSpec>;
  hidden: ReadonlySet<string>;
  lasso: boolean;
  setKinds: (kinds: readonly KindSpec[]) => void;
  /** Show or hide kinds together: a trade's, or one. */
  show: (kinds: readonly string[], shown: boolean) => void;
  set: (part: Partial<Pick<Layers, "lasso">>) => void;
}

export const useLayers = create<Layers>((set) => ({
  kinds: new Map(),
  hidden: new Set<string>(),
  lasso: false,
  setKinds: (kinds) => set({ kinds: new Map(kinds.map((kind) => [kind.name, kind])) }),
  show: (kinds, shown) =>
    set(({ hidden }) => {
      const next = new Set(hidden);
      for (const kind of kinds) {
        if (shown) next.delete(kind);
        else next.add(kind);
      }
      return { hidden: next };
    }),
  set: (part) => set(part),
}));

/** Within how many seconds equipment of a kind promises its next word; null when it tells changes only. */
export function promiseOf({ metrics }: Pick<KindSpec, "metrics">): number | null {
  const promises = metrics.map(({ promise_s }) => promise_s).filter((seconds) => seconds !== null);
  return promises.length ? Math.min(...promises) : null;
}

export interface Group {
  trade: string;
  kinds: { kind: KindSpec; total: number; abnormal: number }[];
}

/** The kinds that there are equipment of, by trade; those with most first. */
export function grouped(kinds: Iterable<KindSpec>, tally: ReadonlyMap<string, { total: number; abnormal: number }>): Group[] {
  const groups = new Map<string, Group>();
  for (const kind of kinds) {
    const counts = tally.get(kind.name);
    if (!counts || counts.total === 0) continue;
    const group = groups.get(kind.trade) ?? { trade: kind.trade, kinds: [] };
    group.kinds.push({ kind, total: counts.total, abnormal: counts.abnormal });
    groups.set(kind.trade, group);
  }
  const size = (group: Group) => group.kinds.reduce((sum, { total }) => sum + total, 0);
  for (const group of groups.values()) group.kinds.sort((a, b) => b.total - a.total);
  return [...groups.values()].sort((a, b) => size(b) - size(a));
}
