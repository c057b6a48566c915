/** What a light's last evidence amounts to. The map's shader decides by the same rules. */
import { flag } from "./protocol";

export const conditions = ["retired", "silent", "supply", "lamp", "fault", "unexpected", "normal"] as const;
export type Condition = (typeof conditions)[number];

export function isSilent(at: number, now: number, promise: number): boolean {
  return Number.isNaN(at) || now - at > promise;
}

export function conditionOf(flags: number, at: number, now: number, promise: number): Condition {
  if (flags & flag.retired) return "retired";
  if (isSilent(at, now, promise)) return "silent";
  if (flags & flag.supply) return "supply";
  if (flags & flag.lamp) return "lamp";
  if (flags & flag.fault) return "fault";
  if (flags & flag.unexpected) return "unexpected";
  return "normal";
}
