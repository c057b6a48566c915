/** Numbers, ages and times as the reader's language and the territory's clock write them. */
export interface Format {
  number: (value: number, digits?: number) => string;
  quantity: (value: number, unit: string) => string;
  percent: (value: number) => string;
  /** What a field of per cent shows after its number. */
  percentSign: string;
  age: (seconds: number) => string;
  /** An age that is watched: always to the tenth, so that it does not jump about. */
  lag: (seconds: number) => string;
  time: (when: number | string) => string;
  clock: (when: number) => string;
  /** "sam. 28 nov." */
  weekday: (when: number) => string;
  /** A stretch of time, as short as it can be said. */
  span: (from: number, to: number) => string;
  dateTime: (when: number | string) => string;
  /** The day of a moment, short, for an axis. */
  dayOf: (when: number) => string;
  /** A calendar day (2026-11-23) that belongs to no time zone. */
  day: (date: string) => string;
  bytes: (value: number) => string;
}

const locales: Record<string, string> = { fr: "fr-FR", en: "en-GB" };
const byteUnits: Record<string, string[]> = {
  fr: ["o", "Kio", "Mio", "Gio", "Tio"],
  en: ["B", "KiB", "MiB", "GiB", "TiB"],
};
const dayUnit: Record<string, string> = { fr: "j", en: "d" };
/** Between a number and its unit: never broken over lines. */
const narrow = "\u00a0";

function digitsFor(unit: string): number {
  if (unit === "kWh" || unit === "W" || unit === "V" || unit === "kW" || unit === "°C") return 1;
  return 0;
}

export function makeFormat(language: string, timeZone: string): Format {
  const locale = locales[language] ?? "en-GB";
  const plain = new Map<number, Intl.NumberFormat>();
  const numberWith = (digits: number) => {
    const known = plain.get(digits);
    if (known) return known;
    const made = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
    plain.set(digits, made);
    return made;
  };
  const hour = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone } as const;
  const time = new Intl.DateTimeFormat(locale, { ...hour, second: "2-digit" });
  const clock = new Intl.DateTimeFormat(locale, hour);
  const dateTime = new Intl.DateTimeFormat(locale, {
    ...hour, second: "2-digit", day: "2-digit", month: "2-digit", year: "numeric",
  });
  const day = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: "UTC" });
  const dayOf = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", timeZone });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone });
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const number = (value: number, digits = 0) => numberWith(digits).format(value);
  const percentSign = `${language === "fr" ? narrow : ""}%`;
  const percent = (value: number) => `${number(value)}${percentSign}`;
  const ms = (when: number | string) => (typeof when === "number" ? when : Date.parse(when));

  return {
    number,
    quantity: (value, unit) => unit === "%" ? percent(value) : `${number(value, digitsFor(unit))}${unit ? narrow + unit : ""}`,
    percent,
    percentSign,
    age: (seconds) => {
      const whole = Math.max(0, seconds);
      if (whole < 10) return `${number(whole, whole < 1 ? 1 : 0)}${narrow}s`;
      if (whole < 100) return `${Math.round(whole)}${narrow}s`;
      if (whole < 5_940) return `${Math.round(whole / 60)}${narrow}min`;
      if (whole < 172_800) return `${Math.round(whole / 3_600)}${narrow}h`;
      return `${number(Math.round(whole / 86_400))}${narrow}${dayUnit[language] ?? "d"}`;
    },
    lag: (seconds) => `${tenths.format(Math.max(0, seconds))}${narrow}s`,
    time: (when) => time.format(ms(when)),
    clock: (when) => clock.format(when),
    weekday: (when) => weekday.format(when),
    span: (from, to) => `${dayOf.format(from)} ${clock.format(from)} – ${dayOf.format(from) === dayOf.format(to) ? "" : `${dayOf.format(to)} `}${clock.format(to)}`,
    dateTime: (when) => dateTime.format(ms(when)),
    dayOf: (when) => dayOf.format(when),
    day: (date) => day.format(Date.parse(date.slice(0, 10))),
    bytes: (value) => {
      const units = byteUnits[language] ?? byteUnits["en"] ?? [];
      const step = value > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
      return `${number(value / 1024 ** step, step > 1 ? 1 : 0)}${narrow}${units[step] ?? ""}`;
    },
  };
}
