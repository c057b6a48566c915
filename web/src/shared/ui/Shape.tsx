/** The sign of a condition: colour and shape together, as on the map. */
import type { Condition } from "../live/condition";
import { colour } from "../tokens";

export type Sign = Condition | "pending";

const drawn: Record<Sign, React.ReactNode> = {
  normal: <circle cx="6" cy="6" r="4" fill={colour.lampFull} />,
  silent: <circle cx="6" cy="6" r="4" fill="none" stroke={colour.second} strokeWidth="1.4" strokeDasharray="2.6 1.6" />,
  retired: <circle cx="6" cy="6" r="3" fill={colour.third} />,
  supply: <path d="M6 .6 11.4 6 6 11.4.6 6Z" fill={colour.critical} />,
  lamp: <path d="M6 1.2 11.2 10.400H.8Z" fill={colour.high} />,
  fault: <rect x="1.8" y="1.8" width="8.4" height="8.4" fill={colour.medium} />,
  unexpected: <circle cx="6" cy="6" r="4.6" fill={colour.low} />,
  pending: <circle cx="6" cy="6" r="4.2" fill="none" stroke={colour.focus} strokeWidth="1.4" strokeDasharray="3 1.8" />,
};

export function Shape({ condition, size = 12 }: { condition: Sign; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" aria-hidden style={{ flex: "none" }}>
      {drawn[condition]}
    </svg>
  );
}
