/** Where a panel stands, and what can be done with its place; null outside a dock. */
import { createContext } from "react";

interface Place {
  pinned: boolean;
  pin: () => void;
  /** Null for what makes sense only in this window. */
  tearOff: (() => void) | null;
}

export const PanelPlace = createContext<Place | null>(null);
