/** The sign of a condition: colour and shape together, as on the map. */
import type { Condition } from "../live/condition";
import { colour } from "../tokens";

export type Sign = Condition | "pending";

const drawn: Record<Sign, [shape: React.ReactNode, tint: string, hollow?: boolean]> = {
  normal: [<circle key="normal" cx="6" cy="6" r="4" />, colour.lampFull],
  silent: [<circle key="silent" cx="6" cy="6" r="4" strokeDasharray="2.6 1.6" />, colour.second, true],
  retired: [<circle key="retired" cx="6" cy="6" r="3" />, colour.third],
  supply: [<path key="supply" d="M6 .6 11.4 6 6 11.4.6 6Z" />, colour.critical],
  lamp: [<path key="lamp" d="M6 1.2 11.2 10.4H.8Z" />, colour.high],
  fault: [<rect key="fault" x="1.8" y="1.8" width="8.4" height="8.4" />, colour.medium],
  unexpected: [<circle key="unexpected" cx="6" cy="6" r="4.6" />, colour.low],
  pending: [<circle key="pending" cx="6" cy="6" r="4.2" strokeDasharray="3 1.8" />, colour.focus, true],
};

/** While nothing is live (`data-not-live` on the page), every shape is an outline of its own colour: see base.css. */
export function Shape({ condition, size = 12 }: { condition: Sign; size?: number }) {
  const [shape, tint, hollow = false] = drawn[condition];
  return (
    <svg className="v-shape" data-hollow={hollow || undefined} width={size} height={size} viewBox="0 0 12 12" aria-hidden style={{ flex: "none", color: tint }}>
      {shape}
    </svg>
  );
}
