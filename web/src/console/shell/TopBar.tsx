import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { Territory } from "../../shared/api/types";
import { useSession } from "../session/session";
import { useDesk } from "../state/desk";
import { useNow } from "../state/live";
import { useRoleName } from "../state/roles";
import { useFormat, useMunicipality } from "../state/server";
import { AlarmStrip } from "./AlarmStrip";
import { CommandBar } from "./CommandBar";
import { Faults } from "./Faults";
import { LinkButton } from "./LinkButton";
import { LiveIndicator } from "./LiveIndicator";
import { Mark } from "./Mark";
import { PostsMenu } from "./PostsMenu";
import classes from "./TopBar.module.css";
import { UserMenu } from "./UserMenu";

function Clock() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  return (
    <time className={classes["clock"]} dateTime={new Date(now).toISOString()} title={t("shell.clock", { date: format.dateTime(now) })}>
      <span className={classes["date"]}>{format.weekday(now)}</span> {format.clock(now)}
    </time>
  );
}

const mostPlaces = 2;

/** Whose city this is, and as what one is here: one's own territory, not everybody's. */
function Where({ territory }: { territory: Territory }) {
  const { grants } = useSession();
  const municipality = useMunicipality();
  const roleName = useRoleName();
  const everywhere = grants.some((grant) => grant.municipality === "*");
  const places = everywhere ? [] : [...new Set(grants.map((grant) => municipality(grant.municipality)))];
  const shown = places.length > mostPlaces ? `${places.slice(0, mostPlaces).join(", ")} +${places.length - mostPlaces}` : places.join(", ");
  const roles = [...new Set(grants.map(({ role }) => roleName(role)))].join(", ");
  return (
    <div className={classes["where"]} title={[...places, roles].join(" · ")} data-testid="territory">
      <strong>{shown || territory.name}</strong>
      <span>{shown ? `${territory.name} · ${roles}` : roles}</span>
    </div>
  );
}

export function TopBar({ territory }: { territory: Territory }) {
  const [path] = useLocation();
  // The map's own legend counts them there, unless their layer is hidden.
  const layer = useDesk((desk) => desk.shown.failures);
  const onMap = path === "/" && layer;
  return (
    <header className={classes["bar"]}>
      <div className={classes["name"]}>
        <Mark />
        <Where territory={territory} />
      </div>
      <CommandBar />
      <div className={classes["strip"]}>
        <AlarmStrip />
        {!onMap && <Faults />}
      </div>
      <div className={classes["end"]}>
        <LiveIndicator />
        <Clock />
        <PostsMenu />
        <LinkButton />
        <UserMenu />
      </div>
    </header>
  );
}
