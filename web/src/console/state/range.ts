/** Ranges of time as people name them, on the territory's clock. */

export interface Range {
  from: number;
  to: number;
}

export const rangeNames = ["hour", "day", "night", "yesterday", "week"] as const;
export type RangeName = (typeof rangeNames)[number];

const hour = 3_600_000;
const day = 24 * hour;
/** A night begins in the evening before and ends in the morning. */
const evening = 18;
const morning = 8;

/** Year, month, day and hour of an instant in a zone. */
function localParts(at: number, zone: string): { y: number; m: number; d: number; h: number; min: number; s: number } {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23",
  }).formatToParts(at);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return { y: of("year"), m: of("month"), d: of("day"), h: of("hour"), min: of("minute"), s: of("second") };
}

/** The zone's distance from UTC at an instant, in ms. */
function offset(at: number, zone: string): number {
  const { y, m, d, h, min, s } = localParts(at, zone);
  return Date.UTC(y, m - 1, d, h, min, s) - Math.floor(at / 1000) * 1000;
}

/** The instant of a local hour of the day that lies `days` after that of `at`; right also across a change of the clocks. */
export function localHour(at: number, days: number, hours: number, zone: string): number {
  const { y, m, d } = localParts(at, zone);
  const wanted = Date.UTC(y, m - 1, d + days, hours);
  const guess = wanted - offset(wanted, zone);
  return wanted - offset(guess, zone);
}

/** The running or the last night; the day before today; or so much until now. */
export function rangeOf(name: RangeName, now: number, zone: string): Range {
  switch (name) {
    case "hour": return { from: now - hour, to: now };
    case "day": return { from: now - day, to: now };
    case "week": return { from: now - 7 * day, to: now };
    case "yesterday": return { from: localHour(now, -1, 0, zone), to: localHour(now, 0, 0, zone) };
    case "night": {
      const tonight = localHour(now, 0, evening, zone);
      if (now >= tonight) return { from: tonight, to: now };
      return { from: localHour(now, -1, evening, zone), to: Math.min(now, localHour(now, 0, morning, zone)) };
    }
  }
}

/** As a local wall time, "2026-11-28T18:00", which is what a field of date and time takes. */
export function toLocal(at: number, zone: string): string {
  const { y, m, d, h, min } = localParts(at, zone);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${y}-${two(m)}-${two(d)}T${two(h)}:${two(min)}`;
}

export function fromLocal(text: string, zone: string): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?$/.exec(text);
  if (!found) return null;
  const [, y, m, d, h = "0", min = "0"] = found.map(Number) as unknown as string[];
  const wanted = Date.UTC(Number(y), Number(m) - 1, Number(d), Number(h), Number(min));
  if (Number.isNaN(wanted)) return null;
  return wanted - offset(wanted - offset(wanted, zone), zone);
}

/** A range as terms of a list's filter. */
export const rangeTerms = (field: string, { from, to }: Range): string[] => [
  `${field}:>=${new Date(from).toISOString()}`, `${field}:<${new Date(to).toISOString()}`,
];
