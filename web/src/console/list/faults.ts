/** The list of what is abnormal, by its sign: exactly those that the counter counted. */
import type { Condition } from "../../shared/live/condition";
import { useDesk } from "../state/desk";
import { lights, pictureTime } from "../state/live";

export function showFaults(condition: Condition, promise: number, title: string): void {
  const ids = lights.counted(condition, pictureTime(), promise);
  useDesk.getState().set({ listed: { ids, title }, filter: "", drawer: true, tab: "list" });
}

/** What the filter language takes of identities at once. */
export const idsAtOnce = 100;

/** The part of a list of identities that a page asks for. */
export const pageOfIds = (ids: readonly number[], page: number): readonly number[] => ids.slice(page * idsAtOnce, (page + 1) * idsAtOnce);
