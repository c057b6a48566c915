import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useSession } from "../session/session";
import { useNow } from "../state/live";
import { useFormat } from "../state/server";
import classes from "./AlarmStrip.module.css";
import { priorities, stripOf, useAlarms } from "./alarms";

const shapes = { critical: "M6 .2 11.800 6 6 11.800.2 6Z", high: "M6 1.200 11.200 10.400H.8Z", medium: "M2 2h8v8H2Z", low: "M6 2.500a3.500 3.500 0 1 0 .01 0Z" } as const;

function Counts() {
  const { t } = useTranslation();
  const format = useFormat();
  const { user } = useSession();
  const now = useNow();
  const alarms = useAlarms();
  const { counts, fresh, mine, newest } = stripOf(alarms.list, user.id);
  if (!alarms.ready) return null;
  return (
    <div className={classes["strip"]} role="region" aria-label={t("alarms.label")} data-testid="alarm-strip">
      {priorities.slice(0, 3).map((priority) => (
        <Link key={priority} href={`/alarms?filter=priority:${priority}`} className={classes["count"]} title={t(`alarms.${priority}`, { n: format.number(counts[priority]) })}>
          <svg className="v-shape" width={priority === "critical" ? 14 : 11} height={priority === "critical" ? 14 : 11} viewBox="0 0 12 12" aria-hidden style={{ color: `var(--v-${priority})` }}><path d={shapes[priority]} /></svg>
          <span className="sr-only">{t(`alarms.${priority}`, { n: "" })}</span>
          {format.number(counts[priority])}
        </Link>
      ))}
      <Link href="/alarms" className={classes["count"]}>{t("alarms.new", { count: fresh, n: format.number(fresh) })} · {t("alarms.mine", { n: format.number(mine) })}</Link>
      {newest && (
        <Link href={`/alarms/${encodeURIComponent(newest.id)}`} className={classes["newest"]} data-priority={newest.priority}>
          <strong>{newest.title}</strong> <span>{newest.place}</span> <span>{format.age((now - Date.parse(newest.since)) / 1000)}</span>
        </Link>
      )}
    </div>
  );
}

/** What asks for somebody now, at every desk: only where a room offers alarms. */
export function AlarmStrip() {
  const { rooms } = useSession();
  return rooms.includes("supervision") ? <Counts /> : null;
}
