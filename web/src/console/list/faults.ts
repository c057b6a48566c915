/** The list of what is abnormal, by its sign. */
import { type Condition, conditionOf } from "../../shared/live/condition";
import { useDesk } from "../state/desk";
import { connection, lights } from "../state/live";
import { withField } from "../../shared/filter";

/** What the filter language takes of identities at once. */
const mostIds = 200;

/** The declared faults are a status that the server knows; an unexpected level is known here, by identity. */
export function showFaults(condition: Condition, promise: number): void {
  const desk = useDesk.getState();
  if (condition !== "unexpected") {
    desk.set({ filter: withField("", "status", "fault"), drawer: true });
    return;
  }
  const now = connection.now() / 1000;
  const ids = lights.where((flags, at) => conditionOf(flags, at, now, promise) === condition);
  if (ids.length > mostIds) desk.select(ids);
  else desk.set({ filter: `id:${ids.join(",")}`, drawer: true });
}
