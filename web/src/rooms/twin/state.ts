/** What a piece of equipment shows, point by point as its kind declares them. */
import type { Asset, KindSpec, MetricSpec } from "../../shared/api/types";
import type { Light } from "../../shared/live/store";
import { isAbnormal } from "./kindWords";

export interface Row {
  name: string;
  spec: MetricSpec;
  value: number | null;
  /** Seconds since 1970 of its evidence; null when it was never told. */
  at: number | null;
  abnormal: boolean;
  /** What orders want of it; undefined when nothing was ever asked. */
  wanted: number | undefined;
}

const unknown = (name: string, unit: string): MetricSpec => ({
  name, unit, min: 0, max: 0, kind: "number", promise_s: 180, abnormal: [], words: [], counter: false,
});

/** The declared points in their order, then what the server tells beside them (a kind of a newer release). */
export function rowsOf(asset: Asset, kind: KindSpec | undefined, light: Light | null): Row[] {
  const specs = [...(kind?.metrics ?? [])];
  for (const [name, { unit }] of Object.entries(asset.state)) {
    if (!specs.some((spec) => spec.name === name)) specs.push(unknown(name, unit));
  }
  return specs.map((spec) => {
    const state = asset.state[spec.name];
    const answered = state?.at ? Date.parse(state.at) / 1000 : null;
    const known = state?.value ?? null;
    const live = light?.values[spec.name];
    // The live columns are newer than the last answer; their time is that of the newest of all points.
    const newer = light && live !== undefined && !Number.isNaN(live) && light.at > (answered ?? 0) && (known === null || Math.abs(live - known) > 1e-6 * Math.abs(live));
    const value = newer ? live : known;
    return { name: spec.name, spec, value, at: newer ? light.at : answered, abnormal: isAbnormal(spec, value), wanted: asset.desired?.[spec.name] };
  });
}

/** Of the points of a kind, the one that its history opens with: what it draws first. */
export const firstPoint = (kind: KindSpec | undefined): string => kind?.draws.find((name) => !["longitude", "latitude", "heading"].includes(name)) ?? kind?.metrics[0]?.name ?? "";
