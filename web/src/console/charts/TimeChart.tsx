import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import { makeFormat } from "../../shared/i18n/format";
import { useTerritory } from "../state/server";
import { usePalette } from "../state/theme";
import { useTime } from "../state/time";
import classes from "./TimeChart.module.css";
import { type Line, gapOf, withGaps } from "./gaps";

const twoDays = 172_800_000;
const least = 60_000;

export interface TimeChartProps {
  title: string;
  /** One, or two to be compared; the first is the one that was asked for. */
  lines: readonly Line[];
  unit: string;
  from: number;
  to: number;
  /** How a value is said; else as a number with its unit. */
  say?: ((value: number) => string) | undefined;
  /** So many values, from nought, have a word: they are the axis. */
  named?: number | undefined;
  /** Steps for what is set or is yes or no, points joined for what is measured. */
  stepped?: boolean;
  bounds?: readonly [number, number] | undefined;
  /** Seconds within which a new measure is promised; null: it comes when it changes. */
  promise: number | null;
  raw: boolean;
  height?: number;
  /** The wall's type is larger. */
  fontSize?: number;
}

/** Values over a range of time that all charts share, as they share the cursor. A drag chooses another range. */
export default function TimeChart({ title, lines, unit, from, to, say, named, stepped = false, bounds, promise, raw, height = 176, fontSize = 11 }: TimeChartProps) {
  const { i18n } = useTranslation();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  const palette = usePalette();
  const host = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const language = i18n.language;
  const [low, high] = bounds ?? [];

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const format = makeFormat(language, zone);
    const shownUnit = unit === "1" ? "" : unit;
    const prepared = lines.map((line) => withGaps(line, gapOf(line.t, promise, raw)));
    const data = uPlot.join(prepared.map(({ t, v }): uPlot.AlignedData => [t.map((at) => at / 1000), v]));
    const times = data[0];
    const font = `${fontSize}px "Inter Variable", sans-serif`;
    const axis = { stroke: palette.second, font, grid: { stroke: palette.line, width: 1 }, ticks: { show: false } };
    const colours = [palette.lampFull, palette.focus];
    const steps = uPlot.paths.stepped?.({ align: 1 });

    /** The values under the cursor, or the latest. */
    const tell = (index: number | null | undefined) => {
      if (!readout.current) return;
      const parts = lines.map(({ label }, i) => {
        const values = data[i + 1] ?? [];
        let at = index ?? values.length - 1;
        while (at > 0 && (values[at] === undefined || (index === null || index === undefined) && values[at] === null)) at--;
        const value = values[at];
        const shown = value === null || value === undefined ? "–" : say ? say(value) : format.quantity(value, shownUnit);
        return { text: lines.length > 1 ? `${label} ${shown}` : shown, when: times[at] };
      });
      const when = index === null || index === undefined ? parts[0]?.when : times[index];
      readout.current.textContent = when === undefined ? "" : `${format.dateTime(when * 1000)} · ${parts.map(({ text }) => text).join(" · ")}`;
    };
    let hovered = false;
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone),
        cursor: { points: { size: 6 }, drag: { x: true, y: false, setScale: false }, y: false },
        legend: { show: false },
        hooks: {
          setCursor: [(self) => {
            tell(self.cursor.idx);
            const { left } = self.cursor;
            if (hovered) useTime.getState().point(left === undefined || left < 0 ? null : self.posToVal(left, "x") * 1000);
          }],
          ready: [() => tell(null)],
          setSelect: [(self) => {
            const { left, width } = self.select;
            if (width < 4) return;
            const range = { from: self.posToVal(left, "x") * 1000, to: self.posToVal(left + width, "x") * 1000 };
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (range.to - range.from > least) useTime.getState().choose({ name: "custom", ...range });
          }],
        },
        scales: { x: { range: () => [from / 1000, to / 1000] }, y: low !== undefined && high !== undefined ? { range: [low, high * 1.04] } : {} },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((tick) => (to - from > twoDays ? format.dayOf(tick * 1000) : format.clock(tick * 1000))), space: 62 * (fontSize / 11), size: 26 * (fontSize / 11) },
          // The unit stands on the axis, once, at its top.
          named === undefined || !say
            ? { ...axis, values: (_, ticks) => ticks.map((tick, i) => (i === ticks.length - 1 && shownUnit ? `${format.number(tick, 2)} ${shownUnit}` : format.number(tick, 2))), size: 64 * (fontSize / 11), space: 32 * (fontSize / 11) }
            : { ...axis, splits: () => Array.from({ length: named }, (_, place) => place), values: (_, ticks) => ticks.map(say), size: 96 * (fontSize / 11) },
        ],
        series: [
          {},
          ...lines.map((line, i): uPlot.Series => ({
            label: line.label, stroke: colours[i] ?? palette.second, width: fontSize > 11 ? 2.4 : 1.4, points: { show: line.t.length < 3 }, spanGaps: false,
            ...(i === 0 && lines.length === 1 ? { fill: `color-mix(in srgb, ${palette.lampFull} 8%, transparent)` } : {}),
            ...(stepped && steps ? { paths: steps } : {}),
            ...(i > 0 ? { dash: [5, 3] } : {}),
          })),
        ],
      },
      data,
      element,
    );
    plot.over.addEventListener("pointerenter", () => { hovered = true; });
    plot.over.addEventListener("pointerleave", () => {
      hovered = false;
      useTime.getState().point(null);
      tell(null);
    });
    const stopTime = useTime.subscribe((now, before) => {
      if (hovered || now.cursor === before.cursor) return;
      const inside = now.cursor !== null && now.cursor >= from && now.cursor <= to;
      plot.setCursor({ left: inside ? plot.valToPos((now.cursor ?? 0) / 1000, "x") : -10, top: inside ? 1 : -10 }, false);
      tell(inside ? plot.cursor.idx : null);
    });
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      stopTime();
      watch.disconnect();
      plot.destroy();
    };
  }, [lines, unit, from, to, say, named, stepped, low, high, promise, raw, height, fontSize, palette, language, zone]);

  return (
    <>
      <div ref={host} style={{ height }} role="img" aria-label={[title, ...lines.map(({ label }) => label)].join(", ")} data-testid="chart" />
      <p ref={readout} className={classes["readout"]} data-testid="chart-readout" />
    </>
  );
}
