/** The look of every screen, in one place. CSS reads these as `--v-*`; the map reads them as values. */
import { type CSSVariablesResolver, type MantineColorsTuple, createTheme } from "@mantine/core";

/** Dark is the room's own; critical is the one that stands out most, also to who sees no red. */
const dark = {
  void: "#0d1116",
  panel: "#131920",
  raised: "#1a222b",
  line: "#28323d",
  first: "#d9e0e7",
  second: "#94a2b0",
  third: "#7f8e9c",
  focus: "#5aa9e6",
  lampOff: "#3a4550",
  lampFull: "#e8e2d0",
  critical: "#ff7b70",
  high: "#d98a35",
  medium: "#ab9447",
  low: "#7690a8",
  /** On a ground of `critical`. */
  onCritical: "#1b0605",
  land: "#10161d",
  landLine: "#2b3743",
  street: "#222d38",
  streetMain: "#27333f",
  streetName: "#7e8c9a",
  placeName: "#c6d0da",
} as const;

export type ColourName = keyof typeof dark;
export type Palette = Readonly<Record<ColourName, string>>;
export type Scheme = "dark" | "light";

/** The same, mirrored: what is light on dark there is dark on light here, with the same order of weight. */
const light: Palette = {
  void: "#eef1f4",
  panel: "#ffffff",
  raised: "#e9eef2",
  line: "#c3cdd6",
  first: "#16202a",
  second: "#45525e",
  third: "#566370",
  focus: "#0b62a8",
  lampOff: "#b4c0ca",
  lampFull: "#54430c",
  critical: "#a5120a",
  high: "#9c4d00",
  medium: "#7a6108",
  low: "#476784",
  onCritical: "#ffffff",
  land: "#e6ebef",
  landLine: "#a9b6c2",
  street: "#d3dbe2",
  streetMain: "#c5cfd8",
  streetName: "#586673",
  placeName: "#2a3742",
};

export const palettes: Readonly<Record<Scheme, Palette>> = { dark, light };
export const colourNames = Object.keys(dark) as ColourName[];

/** What markup and CSS use: the value follows the theme. */
export const colour = Object.fromEntries(colourNames.map((name) => [name, `var(--v-${name})`])) as Record<ColourName, string>;

export const size = { top: 44, rail: 64, queue: 480, dock: 420, time: 36, row: 32, phone: 768, narrow: 1280 } as const;

const grey: MantineColorsTuple = [
  dark.first, "#c3ccd5", dark.second, "#7a8896", dark.line,
  "#222b35", dark.raised, dark.panel, dark.void, "#090c10",
];
const blue: MantineColorsTuple = [
  "#e7f3fc", "#cfe5f6", "#a5cfee", "#7dbaea", dark.focus,
  "#4a9ada", "#2876b4", "#226599", "#1f5580", "#163e5e",
];

const orange: MantineColorsTuple = [
  "#fff1e3", "#ffdfc2", "#ffcb9b", "#ffb876", "#ffa958", "#ffa04a", dark.high, "#e88730", "#b96a24", "#8a4f1a",
];

export const theme = createTheme({
  primaryColor: "blue",
  primaryShade: 6,
  autoContrast: true,
  colors: { dark: grey, blue, orange },
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: "ui-monospace, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "11px", sm: "13px", md: "13px", lg: "15px", xl: "19px" },
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "19px" }, h2: { fontSize: "15px" }, h3: { fontSize: "13px" } } },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  defaultRadius: 4,
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 0 } } },
    // A sheet at the side: the live picture beside it is neither dimmed nor locked.
    Modal: {
      defaultProps: { transitionProps: { duration: 0 }, withOverlay: false, lockScroll: false },
      styles: {
        inner: { top: "var(--v-top-size)", bottom: "var(--v-time-size)", height: "auto", left: "auto", right: 0, width: "min(480px, 100vw)", padding: 0 },
        content: {
          background: "var(--v-panel)", borderLeft: "1px solid var(--v-line)", borderRadius: 0,
          height: "100%", maxHeight: "none", width: "100%", flex: "1", boxShadow: "none",
        },
        header: { background: "var(--v-panel)", borderBottom: "1px solid var(--v-line)", marginBottom: 12 },
        title: { fontSize: 14, fontWeight: 600 },
      },
    },
    Menu: { defaultProps: { transitionProps: { duration: 0 } } },
    Select: { defaultProps: { allowDeselect: false, comboboxProps: { transitionProps: { duration: 0 } } } },
  },
});

function variablesOf(palette: Palette): Record<string, string> {
  return {
    ...Object.fromEntries(colourNames.map((name) => [`--v-${name}`, palette[name]])),
    "--mantine-color-body": palette.void,
    "--mantine-color-text": palette.first,
    "--mantine-color-dimmed": palette.second,
    "--mantine-color-placeholder": palette.third,
    "--mantine-color-default": palette.raised,
    "--mantine-color-default-hover": `color-mix(in srgb, ${palette.raised} 88%, ${palette.first})`,
    "--mantine-color-default-color": palette.first,
    "--mantine-color-default-border": palette.line,
    "--mantine-color-error": palette.critical,
  };
}

export const cssVariables: CSSVariablesResolver = () => ({
  variables: Object.fromEntries(Object.entries(size).map(([name, value]) => [`--v-${name}-size`, `${value}px`])),
  dark: variablesOf(dark),
  light: variablesOf(light),
});
