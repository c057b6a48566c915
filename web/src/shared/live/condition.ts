/** What the last evidence of a piece of equipment amounts to. The map's shader decides by the same rules. */
import { flag } from "./protocol";

export const conditions = ["retired", "silent", "supply", "lamp", "fault", "unexpected", "normal"] as const;
export type Condition = (typeof conditions)[number];

/** `promise` is null of what tells changes only: it is silent only before its first word. */
export function isSilent(at: number, now: number, promise: number | null): boolean {
  return Number.isNaN(at) || (promise !== null && now - at > promise);
}

export function conditionOf(flags: number, at: number, now: number, promise: number | null): Condition {
  if (flags & flag.retired) return "retired";
  if (isSilent(at, now, promise)) return "silent";
  if (flags & flag.supply) return "supply";
  if (flags & flag.lamp) return "lamp";
  if (flags & flag.fault) return "fault";
  if (flags & flag.unexpected) return "unexpected";
  return "normal";
}
