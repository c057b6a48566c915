/** How the object that is open is closed: known to its panel, wherever the panel stands. */
import { createContext } from "react";

export const OpenObject = createContext<{ close: () => void } | null>(null);
