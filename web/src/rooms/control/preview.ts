/** What an order would change, and the reasons that this person usually gives. */
import type { Light, LightStore } from "../../shared/live/store";
import { isSilent } from "../../shared/live/condition";

export interface Preview {
  /** How many are at which value now, most first. */
  levels: { level: number; n: number }[];
  more: number;
  /** Those that may not answer: nothing was heard of them for too long. */
  mute: number;
}

const mostLevels = 3;

const valueOf = (light: Light, point: string): number => light.values[point] ?? NaN;

/** `point`: the one that shows what the order sets. */
export function previewOf(store: Pick<LightStore, "get">, assets: Iterable<number>, now: number, promiseOf: (kind: string) => number | null, point = "dimmingLevel"): Preview {
  const counts = new Map<number, number>();
  let mute = 0;
  for (const id of assets) {
    const light = store.get(id);
    if (!light) continue;
    const value = Math.round(valueOf(light, point));
    if (isSilent(light.at, now, promiseOf(light.kind))) mute++;
    else if (!Number.isNaN(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const levels = [...counts].map(([level, n]) => ({ level, n })).sort((a, b) => b.n - a.n || a.level - b.level);
  return { levels: levels.slice(0, mostLevels), more: levels.slice(mostLevels).reduce((sum, { n }) => sum + n, 0), mute };
}

const remembered = "vigie.reasons";
const mostReasons = 4;

/** The reasons given last, then those that everybody gives. */
export function usualReasons(common: readonly string[]): string[] {
  let own: unknown = [];
  try {
    own = JSON.parse(localStorage.getItem(remembered) ?? "[]");
  } catch {
    // What cannot be read is as good as nothing.
  }
  const texts = Array.isArray(own) ? own.filter((text): text is string => typeof text === "string") : [];
  return [...new Set([...texts, ...common])].slice(0, mostReasons);
}

export function keepReason(reason: string): void {
  const others = usualReasons([]).filter((text) => text !== reason);
  localStorage.setItem(remembered, JSON.stringify([reason, ...others].slice(0, mostReasons)));
}
