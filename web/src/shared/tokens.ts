/** The look of every screen, in one place. CSS reads these as `--v-*`; the map reads them as values. */
import { type CSSVariablesResolver, type MantineColorsTuple, createTheme } from "@mantine/core";

export const colour = {
  void: "#0d1116",
  panel: "#131920",
  raised: "#1a222b",
  line: "#28323d",
  first: "#d9e0e7",
  second: "#94a2b0",
  third: "#7b8a98",
  focus: "#5aa9e6",
  lampOff: "#3a4550",
  lampFull: "#e8e2d0",
  critical: "#ff5a52",
  high: "#ff9a3d",
  medium: "#ffd54a",
  low: "#b48cff",
  good: "#8fb89a",
  land: "#10161d",
  landLine: "#2b3743",
  street: "#222d38",
  streetMain: "#27333f",
} as const;

export const size = { top: 44, rail: 78, dock: 420, row: 32, phone: 768 } as const;

const grey: MantineColorsTuple = [
  colour.first, "#c3ccd5", colour.second, "#7a8896", colour.line,
  "#222b35", colour.raised, colour.panel, colour.void, "#090c10",
];
const blue: MantineColorsTuple = [
  "#e7f3fc", "#cfe5f6", "#a5cfee", "#7dbaea", colour.focus,
  "#4a9ada", "#2876b4", "#226599", "#1f5580", "#163e5e",
];

const orange: MantineColorsTuple = [
  "#fff1e3", "#ffdfc2", "#ffcb9b", "#ffb876", "#ffa958", "#ffa04a", colour.high, "#e88730", "#b96a24", "#8a4f1a",
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
    Modal: {
      defaultProps: { transitionProps: { duration: 0 }, centered: true },
      styles: {
        content: { background: "var(--v-panel)", border: "1px solid var(--v-line)" },
        header: { background: "var(--v-panel)", borderBottom: "1px solid var(--v-line)", marginBottom: 12 },
        title: { fontSize: 14, fontWeight: 600 },
      },
    },
    Menu: { defaultProps: { transitionProps: { duration: 0 } } },
    Select: { defaultProps: { allowDeselect: false, comboboxProps: { transitionProps: { duration: 0 } } } },
  },
});

export const cssVariables: CSSVariablesResolver = () => {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(colour)) variables[`--v-${name}`] = value;
  for (const [name, value] of Object.entries(size)) variables[`--v-${name}-size`] = `${value}px`;
  const mantine = {
    "--mantine-color-body": colour.void,
    "--mantine-color-text": colour.first,
    "--mantine-color-dimmed": colour.second,
    "--mantine-color-placeholder": "#7a8896",
    "--mantine-color-default": colour.raised,
    "--mantine-color-default-hover": "#212b35",
    "--mantine-color-default-border": colour.line,
    "--mantine-color-error": colour.critical,
  };
  return { variables: { ...variables, ...mantine }, light: {}, dark: mantine };
};
