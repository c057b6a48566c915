/** The map, created once and driven by hand: React never sees anything move. */
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { AttributionControl, Map as MapLibre, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { Territory } from "../../shared/api/types";
import type { Palette } from "../../shared/tokens";
import { openAsset, useDesk } from "../state/desk";
import { connection, lights, pictureTime } from "../state/live";
import { keepPlace } from "./anchor";
import type { Tip } from "./AssetTip";
import { AssetLayer, type AssetView, mark, signRadiusAt } from "./assetLayer";
import { attachBoxSelect } from "./boxSelect";
import { attachClusters } from "./clusterLayer";
import { setMap } from "./controller";
import { exposeForTests } from "./debug";
import { firstView } from "./firstView";
import { attachLasso } from "./lasso";
import { useLayers } from "./layers";
import { assetAt, inBox, inRing } from "./pick";
import { firstLabel, mapStyle, streetLine } from "./style";

setWorkerUrl(workerUrl);

const reachPixels = 9;
/** From the middle of the map, for the keyboard. */
const middlePixels = 60;
const agingEvery = 2_000;

interface Options {
  host: HTMLElement;
  territory: Territory;
  /** Seconds within which a light promises to report. */
  promise: () => number;
  /** The person sees a part of the territory only: the map begins there. */
  ownOnly: boolean;
  palette: Palette;
  boxClass: string;
  onTip: (tip: Tip | null) => void;
}

export function hasGraphics(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** Returns what takes the map down again. */
export function createCityMap({ host, territory, promise, ownOnly, palette, boxClass, onTip }: Options): () => void {
  const iconOf = (kind: string) => useLayers.getState().kinds.get(kind)?.icon ?? "dot";
  const promiseOf = (kind: string) => lights.promiseOf(kind, promise());
  const eye = (): AssetView => {
    const { shown, found } = useDesk.getState();
    const { hidden } = useLayers.getState();
    return { now: pictureTime(), live: connection.status.live, promiseOf, iconOf, shown, found, hidden };
  };
  const layer = new AssetLayer(lights, eye, territory.center, palette);

  const map = new MapLibre({
    container: host,
    style: mapStyle(territory, palette),
    ...(territory.bbox ? { bounds: territory.bbox, fitBoundsOptions: { padding: 40 } } : { center: territory.center, zoom: 11 }),
    attributionControl: false,
    trackResize: false,
    boxZoom: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    minZoom: 8,
    maxZoom: 20,
    fadeDuration: 0,
    renderWorldCopies: false,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new AttributionControl({ compact: false }), "bottom-right");
  map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
  map.on("style.load", () => map.addLayer(layer, firstLabel).addLayer(layer.above));
  const clusters = attachClusters(map, {
    palette, gather: () => layer.gather(), live: () => connection.status.live, onMoved: (listener) => lights.subscribe(listener), before: firstLabel,
  });
  setMap(map);
  const stopAnchor = keepPlace(map, host);
  exposeForTests(map, promise, clusters.count);

  const under = (lng: number, lat: number, reach = reachPixels) => {
    const degrees = (360 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
    const signs = layer.clustered ? 0 : degrees * Math.max(reach, signRadiusAt(map.getZoom()) + 2);
    return assetAt(lights, lng, lat, (channel) => (channel.lamps ? degrees * reach : signs), eye());
  };
  map.on("click", (event) => {
    const cluster = clusters.under(event.point.x, event.point.y);
    if (cluster?.geometry.type === "Point") {
      map.easeTo({ center: cluster.geometry.coordinates as [number, number], zoom: map.getZoom() + 2, duration: calm ? 0 : 400 });
      return;
    }
    const id = under(event.lngLat.lng, event.lngLat.lat);
    if (id === null || event.originalEvent.shiftKey) return;
    if (event.originalEvent.ctrlKey || event.originalEvent.metaKey) useDesk.getState().toggleSelected(id);
    else openAsset(id);
  });
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let hovering = 0;
  // A finger does not hover: what it touches opens.
  const hovers = !window.matchMedia("(hover: none)").matches;
  map.on("mousemove", (event) => {
    if (!hovers) return;
    cancelAnimationFrame(hovering);
    hovering = requestAnimationFrame(() => {
      const id = map.isMoving() ? null : under(event.lngLat.lng, event.lngLat.lat);
      const open = id !== null || (!map.isMoving() && clusters.under(event.point.x, event.point.y) !== null);
      map.getCanvas().style.cursor = useLayers.getState().lasso ? "crosshair" : open ? "pointer" : "";
      onTip(id === null ? null : { id, x: event.point.x, y: event.point.y });
    });
  });
  map.on("mouseout", () => onTip(null));
  map.on("movestart", () => onTip(null));

  const canvas = map.getCanvas();
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const middle = map.getCenter();
    const id = under(middle.lng, middle.lat, middlePixels);
    event.preventDefault();
    if (id === null) return;
    if (event.key === "Enter") openAsset(id);
    else useDesk.getState().toggleSelected(id);
  };
  canvas.addEventListener("keydown", key);

  const detachBox = attachBoxSelect(map, {
    className: boxClass,
    toolActive: () => useDesk.getState().boxTool,
    onBox: (box, add) => {
      useDesk.getState().select(inBox(lights, box, eye()), add);
      useDesk.getState().set({ boxTool: false });
    },
  });

  const detachLasso = attachLasso(map, {
    active: () => useLayers.getState().lasso,
    onRing: (ring, add) => {
      useDesk.getState().select(inRing(lights, ring, eye()), add);
      useLayers.getState().set({ lasso: false });
    },
  });

  const remark = () => {
    const { selection, panels, found } = useDesk.getState();
    const active = panels.find((panel) => panel.kind === "asset")?.id;
    layer.setMarks((id) =>
      (selection.has(id) ? mark.selected : 0) | (id === active ? mark.active : 0) | (found && !found.has(id) ? mark.dimmed : 0),
    );
  };
  const streetShown = () => {
    const { street } = useDesk.getState();
    if (map.getLayer(streetLine)) map.setFilter(streetLine, ["==", ["get", "name"], street?.name ?? ""]);
  };
  map.on("style.load", streetShown);
  remark();
  const stopFirst = firstView(map, ownOnly);
  const stopDesk = useDesk.subscribe((now, before) => {
    if (now.selection !== before.selection || now.panels !== before.panels || now.found !== before.found) remark();
    if (now.street !== before.street) streetShown();
    if (now.shown !== before.shown) map.triggerRepaint();
    if (now.shown !== before.shown || now.found !== before.found) clusters.refresh();
  });
  const stopLayers = useLayers.subscribe(() => {
    map.triggerRepaint();
    clusters.refresh();
  });
  const stopLive = connection.subscribe(() => {
    map.triggerRepaint();
    clusters.refresh();
  });
  const aging = setInterval(() => map.triggerRepaint(), agingEvery);

  return () => {
    clearInterval(aging);
    stopAnchor();
    stopFirst();
    stopLive();
    stopDesk();
    stopLayers();
    clusters.stop();
    detachLasso();
    detachBox();
    canvas.removeEventListener("keydown", key);
    cancelAnimationFrame(hovering);
    setMap(null);
    map.remove();
  };
}
