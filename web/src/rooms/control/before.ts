/** The levels that lights had before a command: what the way back needs. */
import type { Change } from "../../shared/api/types";

export type Levels = ReadonlyMap<number, number>;
export interface Group {
  level: number;
  ids: number[];
}

const mostKept = 40;
const kept = new Map<string, Levels>();

/** Kept for the commands that this window sent: the lights' own words, also where nothing had been asked of them. */
export function keep(command: string, levels: Levels): void {
  kept.set(command, levels);
  const oldest = kept.keys().next().value;
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
}

export const keptFor = (command: string): Levels | null => kept.get(command) ?? null;

/** What the journal says was asked of each light before; a light of which nothing was asked is left out. */
export function askedBefore(changes: Change[]): Levels {
  const levels = new Map<number, number>();
  for (const { object_id, before } of changes) {
    const level = typeof before === "object" && before !== null ? (before as Record<string, unknown>)["dimmingLevel"] : null;
    if (typeof level === "number") levels.set(Number(object_id), level);
  }
  return levels;
}

/** The lights by the level they had, most first; those that had the commanded level already need no way back. */
export function byLevel(levels: Levels, commanded: number): Group[] {
  const groups = new Map<number, number[]>();
  for (const [id, level] of levels) {
    const whole = Math.round(level);
    if (whole === commanded) continue;
    const ids = groups.get(whole);
    if (ids) ids.push(id);
    else groups.set(whole, [id]);
  }
  return [...groups].map(([level, ids]) => ({ level, ids })).sort((a, b) => b.ids.length - a.ids.length || a.level - b.level);
}
