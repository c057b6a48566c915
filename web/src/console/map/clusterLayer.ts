/** The clusters on the map: a few hundred circles with their count, worked out anew when the view or the live state moved. */
import type { FeatureCollection, Point } from "geojson";
import type { GeoJSONSource, Map as MapLibre, MapGeoJSONFeature } from "maplibre-gl";
import type { Condition } from "../../shared/live/condition";
import type { ColourName, Palette } from "../../shared/tokens";
import type { Cluster } from "./clusters";
import { latitudeOf, longitudeOf } from "./mercator";

const source = "clusters";
const circles = "clusters";
/** Changes of state are gathered for so long. */
const pace = 1_000;

const tints: Record<Condition, ColourName> = {
  normal: "raised", retired: "raised", silent: "void", unexpected: "low", fault: "medium", lamp: "high", supply: "critical",
};
/** Colour never stands alone: the sign of the worst state goes before the count. */
const marks: Record<Condition, string> = { normal: "", retired: "", silent: "", unexpected: "● ", fault: "■ ", lamp: "▲ ", supply: "◆ " };

const short = (count: number): string => (count < 1_000 ? String(count) : count < 10_000 ? `${(count / 1_000).toFixed(1)}k` : `${Math.round(count / 1_000)}k`);
const abnormal = (worst: Condition): boolean => !["normal", "retired", "silent"].includes(worst);

/** While the picture is not live, a cluster is hollow and keeps what it last meant, as each sign does. */
function look(worst: Condition, palette: Palette, live: boolean): { fill: string; text: string; edge: string } {
  const tint = palette[tints[worst]];
  if (!live) return { fill: palette.void, text: abnormal(worst) ? tint : palette.second, edge: abnormal(worst) ? tint : palette.second };
  return { fill: tint, text: abnormal(worst) ? palette.void : palette.first, edge: worst === "silent" ? palette.third : abnormal(worst) ? palette.void : palette.second };
}

export function features(clusters: readonly Cluster[], palette: Palette, live: boolean): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: clusters.map(({ x, y, count, worst }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [longitudeOf(x), latitudeOf(y)] },
      properties: { count, worst, label: `${marks[worst]}${short(count)}`, radius: 9 + Math.min(13, 2.4 * Math.log(count + 1)), ...look(worst, palette, live) },
    })),
  };
}

interface Options {
  palette: Palette;
  live: () => boolean;
  gather: () => Cluster[] | null;
  /** Called back whenever the live state moved. */
  onMoved: (listener: () => void) => () => void;
  before: string;
}

export interface ClusterLayer {
  /** How many are shown; null while each has its own sign. */
  count: () => number | null;
  under: (x: number, y: number) => MapGeoJSONFeature | null;
  refresh: () => void;
  stop: () => void;
}

export function attachClusters(map: MapLibre, { palette, gather, live, onMoved, before }: Options): ClusterLayer {
  let shown: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  const refresh = () => {
    const data = map.getSource<GeoJSONSource>(source);
    if (!data) return;
    const clusters = gather();
    if (clusters === null && shown === null) return;
    shown = clusters?.length ?? null;
    void data.setData(features(clusters ?? [], palette, live()));
  };
  map.on("style.load", () => {
    map.addSource(source, { type: "geojson", data: features([], palette, true) });
    map.addLayer({
      id: circles, type: "circle", source,
      paint: {
        "circle-color": ["get", "fill"], "circle-radius": ["get", "radius"], "circle-opacity": 0.95,
        "circle-stroke-width": 1.2, "circle-stroke-color": ["get", "edge"],
      },
    }, before);
    map.addLayer({
      id: "cluster-counts", type: "symbol", source,
      layout: { "text-field": ["get", "label"], "text-font": ["Vigie Semibold"], "text-size": 11.5, "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": ["get", "text"] },
    });
    refresh();
  });
  const soon = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(refresh);
  };
  map.on("zoom", soon);
  map.on("moveend", soon);
  const stopMoved = onMoved(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      refresh();
    }, pace);
  });
  return {
    count: () => shown,
    under: (x, y) => (shown === null || !map.getLayer(circles) ? null : (map.queryRenderedFeatures([x, y], { layers: [circles] })[0] ?? null)),
    refresh: soon,
    stop: () => {
      stopMoved();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    },
  };
}
