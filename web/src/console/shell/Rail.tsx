import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { word } from "../../shared/i18n/words";
import { groups, isAt } from "../frame/room";
import { useDesks } from "../frame/rooms";
import classes from "./Rail.module.css";

/** The desks in their groups; what this person may not use, or what is switched off here, is not there. */
export function Rail() {
  const { t } = useTranslation();
  const [path] = useLocation();
  const desks = useDesks().filter(({ hidden }) => !hidden);
  return (
    <nav className={classes["rail"]} aria-label={t("shell.desks")}>
      {groups.map((group) => {
        const own = desks.filter((desk) => desk.group === group);
        return own.length > 0 && (
          <div key={group} className={classes["group"]} role="group" aria-label={word("deskGroup", group)} data-group={group}>
            <span className={classes["groupName"]} aria-hidden>{word("deskGroup", group)}</span>
            {own.map((desk) => {
              const { name, path: to, go, icon: Icon } = desk;
              const here = isAt(desk, path);
              return (
                <Link
                  key={name} href={to} className={classes["desk"]} data-here={here || undefined} data-testid={`desk-${name}`} aria-current={here ? "page" : undefined}
                  aria-keyshortcuts={go && `g ${go}`} title={go ? `${word("desk", name)} (g ${go})` : word("desk", name)}
                >
                  <Icon size={19} strokeWidth={1.6} aria-hidden />
                  <span>{word("deskShort", name)}</span>
                </Link>
              );
            })}
          </div>
        );
      })}
    </nav>
  );
}
