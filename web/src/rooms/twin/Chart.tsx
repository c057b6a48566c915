import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import type { History, MetricSpec } from "../../shared/api/types";
import { makeFormat } from "../../shared/i18n/format";
import { colour } from "../../shared/tokens";
import { connection } from "../../console/state/live";
import { useTerritory } from "../../console/state/server";
import classes from "./Chart.module.css";
import { pointWord, unitWord, valueWord } from "./kindWords";

const height = 168;
const twoDays = 172_800_000;
const font = '11px "Inter Variable", sans-serif';

interface Props {
  history: History;
  kind: string;
  spec: MetricSpec;
  /** It is set, not measured: it holds until it is set anew. */
  stepped: boolean;
  span: number;
}

/** One metric over a period: steps for what is set, points joined for what is measured. */
export default function Chart({ history, kind, spec, stepped, span }: Props) {
  const { i18n } = useTranslation();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  const host = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const language = i18n.language;

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const format = makeFormat(language, zone);
    const axis = { stroke: colour.second, font, grid: { stroke: colour.line, width: 1 }, ticks: { show: false } };
    const now = Math.max(connection.now(), history.t.at(-1) ?? 0);
    const steps = uPlot.paths.stepped?.({ align: 1 });
    const bounded = spec.kind !== "number" || spec.unit === "%" ? [spec.min, spec.max] : null;
    const named = spec.kind === "choice" ? spec.words.map((_, place) => place) : [0, 1];
    /** The value under the pointer, or the latest. */
    const tell = (at: number | null | undefined) => {
      const last = history.v.findLastIndex((value) => value !== null);
      const index = at ?? last;
      const value = history.v[index];
      const when = history.t[index];
      if (!readout.current || when === undefined) return;
      const shown = value === null || value === undefined ? "–" : valueWord(kind, spec, value, format);
      readout.current.textContent = `${format.dateTime(when)} · ${shown}`;
    };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone),
        cursor: { points: { size: 6 }, drag: { x: false, y: false } },
        legend: { show: false },
        hooks: { setCursor: [(self) => tell(self.cursor.idx)], ready: [() => tell(null)] },
        scales: { x: { range: () => [(now - span) / 1000, now / 1000] }, y: bounded ? { range: [bounded[0] ?? 0, (bounded[1] ?? 1) * 1.04] } : {} },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((tick) => (span > twoDays ? format.dayOf(tick * 1000) : format.clock(tick * 1000))), space: 62, size: 26 },
          spec.kind === "number"
            ? { ...axis, values: (_, ticks) => ticks.map((tick, i) => (i === ticks.length - 1 ? `${format.number(tick, 2)} ${unitWord(spec.unit)}`.trim() : format.number(tick, 2))), size: 58, space: 32 }
            : { ...axis, splits: () => named, values: (_, ticks) => ticks.map((tick) => valueWord(kind, spec, tick, format)), size: 92 },
        ],
        series: [
          {},
          {
            stroke: colour.lampFull, width: 1.4, points: { show: history.t.length < 3 },
            fill: "rgba(232, 226, 208, 0.07)",
            ...(stepped && steps ? { paths: steps } : {}),
          },
        ],
      },
      [history.t.map((ms) => ms / 1000), history.v],
      element,
    );
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [history, kind, spec, stepped, span, language, zone]);

  return (
    <>
      <div ref={host} className={classes["chart"]} role="img" aria-label={pointWord(kind, history.metric)} />
      <p ref={readout} className={classes["readout"]} />
    </>
  );
}
