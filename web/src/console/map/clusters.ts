/**
 * Equipment with a symbol, gathered into squares of the screen when it is too many to be told apart. A plain walk over
 * the layer's own positions: a grid of the view, counted in typed arrays, no sorting and no tree.
 */
import { type Condition, conditionOf } from "../../shared/live/condition";
import type { Channel } from "../../shared/live/store";
import type { Eye } from "./pick";

export interface Cluster {
  /** On the unit square of Mercator. */
  x: number;
  y: number;
  count: number;
  worst: Condition;
}

/** The worse, the higher. Silent only where all are: a few that say nothing do not hide that the others are well. */
const ranks: readonly Condition[] = ["silent", "normal", "unexpected", "fault", "lamp", "supply"];
export const cellPixels = 64;
/** Beyond this zoom each has its own sign. */
export const clusterZoom = 14;
/** So few are shown one by one, however far away. */
export const mostFaces = 150;

export interface Source {
  channel: Channel;
  /** Two numbers for each: from the origin, on the unit square. */
  positions: Float32Array;
}

/** A square of the unit square. */
export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function clustersOf(sources: Iterable<Source>, origin: readonly [number, number], view: View, zoom: number, eye: Eye): Cluster[] {
  const cell = cellPixels / (512 * 2 ** Math.floor(zoom));
  // Squares stand still in the world: a map that moves does not shuffle them.
  const firstColumn = Math.floor(view.x / cell);
  const firstRow = Math.floor(view.y / cell);
  const columns = Math.floor((view.x + view.width) / cell) - firstColumn + 1;
  const rows = Math.floor((view.y + view.height) / cell) - firstRow + 1;
  const count = new Int32Array(columns * rows);
  const worst = new Uint8Array(columns * rows);
  const sumX = new Float64Array(columns * rows);
  const sumY = new Float64Array(columns * rows);
  for (const { channel, positions } of sources) {
    const promise = eye.promiseOf(channel.kind);
    for (let i = 0; i < channel.size; i++) {
      const x = (positions[2 * i] ?? 0) + origin[0];
      const y = (positions[2 * i + 1] ?? 0) + origin[1];
      const column = Math.floor(x / cell) - firstColumn;
      const row = Math.floor(y / cell) - firstRow;
      if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
      if (eye.found && !eye.found.has(channel.id[i] ?? 0)) continue;
      const condition = conditionOf(channel.flags[i] ?? 0, channel.at[i] ?? NaN, eye.now, promise);
      if (condition === "retired") continue;
      if (!(condition === "normal" ? eye.shown.normal : condition === "silent" ? eye.shown.silent : eye.shown.failures)) continue;
      const at = row * columns + column;
      count[at] = (count[at] ?? 0) + 1;
      sumX[at] = (sumX[at] ?? 0) + x;
      sumY[at] = (sumY[at] ?? 0) + y;
      worst[at] = Math.max(worst[at] ?? 0, ranks.indexOf(condition));
    }
  }
  const clusters: Cluster[] = [];
  for (let at = 0; at < count.length; at++) {
    const many = count[at] ?? 0;
    if (many > 0) clusters.push({ x: (sumX[at] ?? 0) / many, y: (sumY[at] ?? 0) / many, count: many, worst: ranks[worst[at] ?? 0] ?? "silent" });
  }
  return clusters;
}
