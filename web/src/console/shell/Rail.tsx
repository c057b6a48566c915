import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { useCan } from "../session/session";
import classes from "./Rail.module.css";
import { visibleDesks } from "./desks";

export function Rail() {
  const { t } = useTranslation();
  const [path] = useLocation();
  const can = useCan();
  return (
    <nav className={classes["rail"]} aria-label={t("shell.desks")}>
      {visibleDesks(can).map(({ name, path: to, key, icon: Icon }) => {
        const here = to === "/" ? path === "/" : path.startsWith(to);
        return (
          <Link
            key={name} href={to} className={classes["desk"]} data-here={here || undefined} data-testid={`desk-${name}`}
            aria-current={here ? "page" : undefined} aria-keyshortcuts={key} title={`${t(`desk.${name}`)} (${key})`}
          >
            <Icon size={19} strokeWidth={1.6} aria-hidden />
            <span>{t(`deskShort.${name}`)}</span>
          </Link>
        );
      })}
    </nav>
  );
}
