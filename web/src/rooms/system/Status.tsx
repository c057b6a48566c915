import { useTranslation } from "react-i18next";
import { colour } from "../../shared/tokens";

const signs = {
  ok: <circle cx="6" cy="6" r="4" fill={colour.second} />,
  standby: <circle cx="6" cy="6" r="3.5" fill="none" stroke={colour.second} strokeWidth="1.4" />,
  starting: <circle cx="6" cy="6" r="3.5" fill="none" stroke={colour.second} strokeWidth="1.4" strokeDasharray="2.4 1.6" />,
  degraded: <rect x="2" y="2" width="8" height="8" fill={colour.medium} />,
  down: <path d="M6 .6 11.4 6 6 11.4.6 6Z" fill={colour.critical} />,
} as const;

export function Sign({ status }: { status: keyof typeof signs }) {
  const { t } = useTranslation();
  return <svg width={12} height={12} viewBox="0 0 12 12" role="img" aria-label={t(`system.status.${status}`)} style={{ flex: "none" }}>{signs[status]}</svg>;
}

/** A part's health: colour, shape and word. */
export function Status({ status, word }: { status: keyof typeof signs; word?: string }) {
  const { t } = useTranslation();
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 7, whiteSpace: "nowrap", fontWeight: status === "degraded" || status === "down" ? 600 : 400 }}>
      <svg width={12} height={12} viewBox="0 0 12 12" aria-hidden>{signs[status]}</svg>
      {word ?? t(`system.status.${status}`)}
    </span>
  );
}
