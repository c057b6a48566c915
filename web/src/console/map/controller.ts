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

const listeners = new Set<(box: Bbox) => void>();

/** Hear where a window without a map was asked to look: the maps of the windows beside it go there. */
export function onShow(listener: (box: Bbox) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function pass(box: Bbox): void {
  for (const listener of listeners) listener(box);
}

/** Degrees around a point, as a box. */
const around = 0.002;

export function showPoint(point: LonLat, zoom = 17): void {
  const map = current;
  const [lon, lat] = point;
  if (!map) pass([lon - around, lat - around, lon + around, lat + around]);
  map?.easeTo({ center: point, zoom: Math.max(zoom, map.getZoom()), duration: duration() });
}

/** What the map shows now. */
export function viewBox(): Bbox | null {
  const bounds = current?.getBounds();
  return bounds ? [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] : null;
}

export function showBox(box: Bbox, maxZoom = 17): void {
  const [west, south, east, north] = box;
  if (!current) pass(box);
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
