/** What is under a point, in a box, inside a line drawn by hand: a plain walk over the arrays, 1–2 ms at 250,000. */
import { conditionOf } from "../../shared/live/condition";
import type { Channel, LightStore } from "../../shared/live/store";
import type { Shown } from "../state/desk";

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** What the person sees now. */
export interface Eye {
  now: number;
  /** Seconds; null of a kind that tells changes only. */
  promiseOf: (kind: string) => number | null;
  live: boolean;
  shown: Shown;
  found: ReadonlySet<number> | null;
  hidden: ReadonlySet<string>;
}

function visible(eye: Eye, channel: Channel, promise: number | null, i: number): boolean {
  if (eye.found && !eye.found.has(channel.id[i] ?? 0)) return false;
  const condition = conditionOf(channel.flags[i] ?? 0, channel.at[i] ?? NaN, eye.now, promise);
  if (condition === "retired") return false;
  if (condition === "normal") return eye.shown.normal;
  if (condition === "silent") return eye.shown.silent;
  return eye.shown.failures;
}

export function inBox(store: LightStore, box: Bounds, eye: Eye, inside: (lon: number, lat: number) => boolean = () => true): number[] {
  const ids: number[] = [];
  for (const channel of store.channels.values()) {
    if (eye.hidden.has(channel.kind)) continue;
    const promise = eye.promiseOf(channel.kind);
    for (let i = 0; i < channel.size; i++) {
      const lon = channel.lon[i] ?? 0;
      const lat = channel.lat[i] ?? 0;
      if (lon < box.west || lon > box.east || lat < box.south || lat > box.north) continue;
      if (visible(eye, channel, promise, i) && inside(lon, lat)) ids.push(channel.id[i] ?? 0);
    }
  }
  return ids;
}

export type Ring = readonly (readonly [lon: number, lat: number])[];

/** Inside a line drawn by hand, which closes by itself; where it crosses itself, every other part is outside. */
export function insideRing(ring: Ring, lon: number, lat: number): boolean {
  let inside = false;
  let [px, py] = ring.at(-1) ?? [0, 0];
  for (const [x, y] of ring) {
    if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) inside = !inside;
    [px, py] = [x, y];
  }
  return inside;
}

export function inRing(store: LightStore, ring: Ring, eye: Eye): number[] {
  if (ring.length < 3) return [];
  const box = { west: 180, south: 90, east: -180, north: -90 };
  for (const [lon, lat] of ring) {
    box.west = Math.min(box.west, lon);
    box.east = Math.max(box.east, lon);
    box.south = Math.min(box.south, lat);
    box.north = Math.max(box.north, lat);
  }
  return inBox(store, box, eye, (lon, lat) => insideRing(ring, lon, lat));
}

/**
 * The nearest that is visible within reach, in degrees of latitude; longitude is scaled to match. Signs of kinds are
 * larger than lamps, and lie above them.
 */
export function assetAt(store: LightStore, lon: number, lat: number, reachOf: (channel: Channel) => number, eye: Eye): number | null {
  const squeeze = Math.cos((lat * Math.PI) / 180);
  let best: number | null = null;
  let least = 1;
  for (const channel of store.channels.values()) {
    const reach = reachOf(channel);
    if (reach <= 0 || eye.hidden.has(channel.kind)) continue;
    const promise = eye.promiseOf(channel.kind);
    for (let i = 0; i < channel.size; i++) {
      const dy = ((channel.lat[i] ?? 0) - lat) / reach;
      if (dy > 1 || dy < -1) continue;
      const dx = (((channel.lon[i] ?? 0) - lon) * squeeze) / reach;
      const distance = dx * dx + dy * dy;
      if (distance >= least || !visible(eye, channel, promise, i)) continue;
      least = distance;
      best = channel.id[i] ?? 0;
    }
  }
  return best;
}
