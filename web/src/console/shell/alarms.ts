/** What the alarm strip needs of a room that watches over alarms; without such a room there is no strip. */
import { useRows } from "../../shared/live/live";
import type { Row } from "../../shared/live/rows";

export const priorities = ["critical", "high", "medium", "low"] as const;
export type Priority = (typeof priorities)[number];

export interface AlarmRow {
  priority: Priority;
  title: string;
  place?: string;
  /** When it began. */
  since: string;
  acknowledged: boolean;
  /** Whose it is, once somebody took it. */
  owner?: string | null;
  /** How much equipment it explains. */
  victims?: number;
}

declare module "../../shared/live/topics" {
  interface RowTopics {
    "supervision.alarms": AlarmRow;
  }
}

export interface Strip {
  counts: Record<Priority, number>;
  fresh: number;
  mine: number;
  /** The newest of the most urgent that nobody has acknowledged. */
  newest: Row<AlarmRow> | null;
}

export function stripOf(alarms: readonly Row<AlarmRow>[], person: string): Strip {
  const counts: Record<Priority, number> = { critical: 0, high: 0, medium: 0, low: 0 };
  let newest: Row<AlarmRow> | null = null;
  const before = (a: Row<AlarmRow>, b: Row<AlarmRow>) =>
    priorities.indexOf(a.priority) - priorities.indexOf(b.priority) || Date.parse(b.since) - Date.parse(a.since);
  for (const alarm of alarms) {
    counts[alarm.priority]++;
    if (!alarm.acknowledged && (newest === null || before(alarm, newest) < 0)) newest = alarm;
  }
  return {
    counts, newest,
    fresh: alarms.filter(({ acknowledged }) => !acknowledged).length,
    mine: alarms.filter(({ owner }) => owner === person).length,
  };
}

export const useAlarms = () => useRows("supervision.alarms");
