/** Which light is under a point, which lights are in a box: a plain walk over the arrays, 1–2 ms at 250,000. */
import { conditionOf } from "../../shared/live/condition";
import type { LightStore } from "../../shared/live/store";
import type { Shown } from "../state/desk";

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Eye {
  now: number;
  promise: number;
  shown: Shown;
  found: ReadonlySet<number> | null;
}

function visible(eye: Eye, id: number, flags: number, at: number): boolean {
  if (eye.found && !eye.found.has(id)) return false;
  const condition = conditionOf(flags, at, eye.now, eye.promise);
  if (condition === "retired") return false;
  if (condition === "normal") return eye.shown.normal;
  if (condition === "silent") return eye.shown.silent;
  return eye.shown.failures;
}

export function lightsInBox(store: LightStore, box: Bounds, eye: Eye): number[] {
  const ids: number[] = [];
  for (const channel of store.lamps()) {
    for (let i = 0; i < channel.size; i++) {
      const lon = channel.lon[i] ?? 0;
      const lat = channel.lat[i] ?? 0;
      if (lon < box.west || lon > box.east || lat < box.south || lat > box.north) continue;
      const id = channel.id[i] ?? 0;
      if (visible(eye, id, channel.flags[i] ?? 0, channel.at[i] ?? NaN)) ids.push(id);
    }
  }
  return ids;
}

/** The nearest visible light within `reach` degrees of latitude; longitude is scaled to match. */
export function lightAt(store: LightStore, lon: number, lat: number, reach: number, eye: Eye): number | null {
  const squeeze = Math.cos((lat * Math.PI) / 180);
  let best: number | null = null;
  let least = reach * reach;
  for (const channel of store.lamps()) {
    for (let i = 0; i < channel.size; i++) {
      const dy = (channel.lat[i] ?? 0) - lat;
      if (dy > reach || dy < -reach) continue;
      const dx = ((channel.lon[i] ?? 0) - lon) * squeeze;
      const distance = dx * dx + dy * dy;
      if (distance >= least) continue;
      const id = channel.id[i] ?? 0;
      if (!visible(eye, id, channel.flags[i] ?? 0, channel.at[i] ?? NaN)) continue;
      least = distance;
      best = id;
    }
  }
  return best;
}
