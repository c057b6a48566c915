/** A command's counts, as people read them. */
import type { Command, CommandCounts, CommandState } from "../../shared/api/types";

/** How a target ends without having confirmed. */
export const unconfirmedEnds = ["refused", "failed", "timed_out", "cancelled", "superseded"] as const satisfies readonly CommandState[];

/** How a target waits: whose answer is still to come. */
export const openStates = ["delivered", "sent", "awaiting_approval", "requested"] as const satisfies readonly CommandState[];

/** Left to right along the bar. */
export const barOrder = [
  "confirmed", "delivered", "sent", "awaiting_approval", "requested", "refused", "failed", "timed_out", "cancelled", "superseded",
] as const satisfies readonly CommandState[];

export const countOf = (counts: CommandCounts, state: CommandState): number => counts[state] ?? 0;

export const unconfirmed = (counts: CommandCounts): number =>
  unconfirmedEnds.reduce((sum, state) => sum + countOf(counts, state), 0);

export const underWay = ({ counts, ended_at, total }: Pick<Command, "counts" | "ended_at" | "total">): number =>
  ended_at ? 0 : Math.max(0, total - countOf(counts, "confirmed") - unconfirmed(counts));

/** Who asked; a person's name may have been erased since. */
export const requester = (command: Command): string => command.requested_by.name ?? "–";
