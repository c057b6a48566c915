import { icons } from "./icons";

/** A kind's symbol, as the map draws it. */
export function KindIcon({ name, size = 14 }: { name: string; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" aria-hidden style={{ flex: "none" }}>
      <path d={icons[name] ?? icons["dot"]} />
    </svg>
  );
}
