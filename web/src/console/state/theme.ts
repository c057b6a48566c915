/** Dark or light: this browser's, as the eyes at this screen need it. */
import { create } from "zustand";
import { type Palette, type Scheme, palettes } from "../../shared/tokens";

const remembered = "vigie.theme";

interface Theme {
  scheme: Scheme;
  choose: (scheme: Scheme) => void;
}

export const useTheme = create<Theme>((set) => ({
  scheme: localStorage.getItem(remembered) === "light" ? "light" : "dark",
  choose: (scheme) => {
    localStorage.setItem(remembered, scheme);
    set({ scheme });
  },
}));

/** For what is drawn by hand: map and charts. */
export const usePalette = (): Palette => palettes[useTheme((theme) => theme.scheme)];
