/** The map, as the other parts of the desk may move it. */
import type { Map as MapLibre } from "maplibre-gl";
import type { Bbox, LonLat } from "../../shared/api/types";
import { lights } from "../state/live";

let current: MapLibre | null = null;

export function setMap(map: MapLibre | null): void {
  current = map;
}
export const getMap = (): MapLibre | null => current;

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const duration = () => (calm() ? 0 : 400);

export function showPoint(point: LonLat, zoom = 17): void {
  const map = current;
  map?.easeTo({ center: point, zoom: Math.max(zoom, map.getZoom()), duration: duration() });
}

export function showBox([west, south, east, north]: Bbox, maxZoom = 17): void {
  current?.fitBounds([[west, south], [east, north]], { padding: 60, maxZoom, duration: duration() });
}

export function zoomBy(steps: number): void {
  current?.easeTo({ zoom: current.getZoom() + steps, duration: duration() / 2 });
}

export function boxOf(ids: Iterable<number>): Bbox | null {
  const box: Bbox = [180, 90, -180, -90];
  for (const id of ids) {
    const light = lights.get(id);
    if (!light) continue;
    box[0] = Math.min(box[0], light.lon);
    box[1] = Math.min(box[1], light.lat);
    box[2] = Math.max(box[2], light.lon);
    box[3] = Math.max(box[3], light.lat);
  }
  return box[0] <= box[2] ? box : null;
}

export function showLights(ids: Iterable<number>): void {
  const box = boxOf(ids);
  if (box) showBox(box);
}
