/** What the list that opened an object offers to its panel, wherever the panel stands. */
import { createContext } from "react";

interface Opened {
  close: () => void;
  /** True once, for an object that was opened by keyboard: its panel takes the focus when it is there. */
  takeFocus: () => boolean;
}

export const OpenObject = createContext<Opened | null>(null);
