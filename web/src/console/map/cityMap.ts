/** The map, created once and driven by hand: React never sees a light move. */
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { AttributionControl, Map as MapLibre, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { Territory } from "../../shared/api/types";
import type { Palette } from "../../shared/tokens";
import { openAsset, useDesk } from "../state/desk";
import { connection, lights, pictureTime } from "../state/live";
import type { Tip } from "./LightTip";
import { attachBoxSelect } from "./boxSelect";
import { keepPlace } from "./anchor";
import { setMap } from "./controller";
import { exposeForTests } from "./debug";
import { firstView } from "./firstView";
import { LightsLayer, mark } from "./lightsLayer";
import { type Eye, lightAt, lightsInBox } from "./pick";
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
  const eye = (): Eye => {
    const { shown, found } = useDesk.getState();
    return { now: pictureTime(), promise: promise(), shown, found };
  };
  const layer = new LightsLayer(
    lights,
    () => {
      const { now, promise: kept, shown } = eye();
      return {
        now, promise: kept, live: connection.status.live,
        shown: [shown.normal, shown.failures, shown.silent, shown.pending],
      };
    },
    territory.center,
    palette,
  );

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
  setMap(map);
  const stopAnchor = keepPlace(map, host);
  exposeForTests(map, promise);

  const under = (lng: number, lat: number, reach = reachPixels) => {
    const degrees = (reach * 360 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
    return lightAt(lights, lng, lat, degrees, eye());
  };
  map.on("click", (event) => {
    const id = under(event.lngLat.lng, event.lngLat.lat);
    if (id === null || event.originalEvent.shiftKey) return;
    if (event.originalEvent.ctrlKey || event.originalEvent.metaKey) useDesk.getState().toggleSelected(id);
    else openAsset(id);
  });
  let hovering = 0;
  // A finger does not hover: what it touches opens.
  const hovers = !window.matchMedia("(hover: none)").matches;
  map.on("mousemove", (event) => {
    if (!hovers) return;
    cancelAnimationFrame(hovering);
    hovering = requestAnimationFrame(() => {
      const id = map.isMoving() ? null : under(event.lngLat.lng, event.lngLat.lat);
      map.getCanvas().style.cursor = id === null ? "" : "pointer";
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
      useDesk.getState().select(lightsInBox(lights, box, eye()), add);
      useDesk.getState().set({ boxTool: false });
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
    else if (now.shown !== before.shown) map.triggerRepaint();
  });
  const stopLive = connection.subscribe(() => map.triggerRepaint());
  const aging = setInterval(() => map.triggerRepaint(), agingEvery);

  return () => {
    clearInterval(aging);
    stopAnchor();
    stopFirst();
    stopLive();
    stopDesk();
    detachBox();
    canvas.removeEventListener("keydown", key);
    cancelAnimationFrame(hovering);
    setMap(null);
    map.remove();
  };
}
