/** The one range and cursor that charts, lists and the time bar of this window (and of windows linked to it) share. */
import { create } from "zustand";
import { connection } from "./live";
import { type Range, type RangeName, rangeOf } from "./range";

export type Chosen = { name: RangeName } | (Range & { name: "custom" });

interface Time {
  chosen: Chosen;
  /** Where the pointer is, on any chart or on the bar; null: nowhere. */
  cursor: number | null;
  choose: (chosen: Chosen) => void;
  point: (cursor: number | null) => void;
}

export const useTime = create<Time>((set) => ({
  chosen: { name: "day" },
  cursor: null,
  choose: (chosen) => set({ chosen }),
  point: (cursor) => set({ cursor }),
}));

/** What is chosen, in ms; a named range moves with the clock. */
export const spanOf = (chosen: Chosen, zone: string, now = connection.now()): Range =>
  chosen.name === "custom" ? { from: chosen.from, to: chosen.to } : rangeOf(chosen.name, now, zone);
