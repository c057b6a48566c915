/** The first-run tour: a line above the desk that names one part of the screen after another. */
import { create } from "zustand";

export const steps = ["rail", "bar", "map", "dock", "time", "help"] as const;

interface Tour {
  /** Null: nobody is on it. */
  at: number | null;
  go: (at: number | null) => void;
}

export const useTour = create<Tour>((set) => ({ at: null, go: (at) => set({ at: at !== null && at < steps.length ? at : null }) }));
