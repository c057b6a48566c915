/** Vigie's sign: a lookout's eye around a light. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden style={{ flex: "none" }}>
      <path d="M3 16c3.7-6 8-9 13-9s9.3 3 13 9c-3.7 6-8 9-13 9s-9.3-3-13-9Z" fill="none" stroke="var(--v-second)" strokeWidth="2" />
      <circle cx="16" cy="16" r="4.6" fill="var(--v-lampFull)" />
    </svg>
  );
}
