/**
 * Words of what kinds declare. A kind may have words of its own for a name that others use too (`Bus_occupancy`); a
 * choice's words are those of its point (`barrier_raised`). tests/vigie/test_words.py holds every declared one to this.
 */
import i18next from "i18next";
import type { CommandSpec, KindSpec, MetricSpec, ParameterSpec } from "../../shared/api/types";
import type { Condition } from "../../shared/live/condition";
import type { Format } from "../../shared/i18n/format";
import { word } from "../../shared/i18n/words";

const own = (group: string, kind: string, name: string): string => (i18next.exists(`${group}.${kind}_${name}`) ? `${kind}_${name}` : name);

export const kindWord = (kind: string): string => word("kind", kind);
export const tradeWord = (trade: string): string => word("trade", trade);
export const pointWord = (kind: string, point: string): string => word("metric", own("metric", kind, point));
export const eventWord = (kind: string, event: string): string => word("event", own("event", kind, event));
export const paramWord = (kind: string, param: string): string => word("param", own("param", kind, param));
export const orderWord = (verb: string): string => word("commandVerb", verb);
export const demandWord = (demand: "login" | "second"): string => word("demand", demand);
/** Why a safety lock may refuse an order, before it is given. */
export const interlockWord = (name: string): string => word("interlock", name);

export function choiceWord(kind: string, point: string, value: string): string {
  const key = `${point}_${value}`;
  const shown = word("choice", own("choice", kind, key));
  return shown === key ? value : shown;
}

/** A unit as it is written in the reader's language; most are the same in all. */
export function unitWord(unit: string): string {
  if (unit === "1") return "";
  return i18next.exists(`unit.${unit.replace("/", "_")}`) ? word("unit", unit.replace("/", "_")) : unit;
}

/** Where something is: digits of about a metre. */
const places = new Set(["longitude", "latitude"]);
const longSeconds = 120;

/** A number with as many digits as can be seen on such equipment, in a unit of a size that is read at a glance. */
export function measure(value: number, name: string, unit: string, format: Format): string {
  if (places.has(name)) return `${format.number(value, 5)}°`;
  if (unit === "%") return format.percent(value);
  if (unit === "s" && Math.abs(value) >= longSeconds) return `${value < 0 ? "−" : ""}${format.age(Math.abs(value))}`;
  const kilo = unit === "W" && Math.abs(value) >= 1_000;
  const size = kilo ? value / 1_000 : value;
  const magnitude = Math.abs(size);
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
  const written = kilo ? "kW" : unitWord(unit);
  return `${format.number(size, digits)}${written === "" ? "" : `${unit === "°" ? "" : "\u00a0"}${written}`}`;
}

type Declared = Pick<MetricSpec | ParameterSpec, "name" | "kind" | "unit" | "words">;

/** A value as its declaration says to read it: a choice's word, yes or no, a number with its unit. `shown`: whose words. */
export function valueWord(kind: string, field: Declared, value: number | string | boolean, format: Format, shown = field.name): string {
  if (field.kind === "choice") {
    const name = typeof value === "number" ? field.words[value] : String(value);
    return name === undefined ? String(value) : choiceWord(kind, shown, name);
  }
  if (field.kind === "flag") return i18next.t(value === true || value === 1 ? "asset.yes" : "asset.no");
  return typeof value === "number" ? measure(value, field.name, field.unit, format) : String(value);
}

export const isAbnormal = (metric: MetricSpec | undefined, value: number | null): boolean =>
  value !== null && (metric?.abnormal.includes(value) ?? false);

/** What a condition of such equipment is called: what the kind marks has the name of its point. */
export function conditionWord(kind: KindSpec | undefined, condition: Condition | "pending"): string {
  const marked = condition === "lamp" ? kind?.marks[0] : condition === "supply" ? kind?.marks[1] : undefined;
  if (kind && marked !== undefined) return pointWord(kind.name, marked);
  return i18next.t(`condition.${condition}`);
}

/** The values of an order, as its button and its title say them. */
export function paramsWord(kind: KindSpec, command: CommandSpec, values: Readonly<Record<string, unknown>>, format: Format): string {
  return command.params.map((param) => {
    const value = values[param.name];
    if (typeof value !== "number" && typeof value !== "string" && typeof value !== "boolean") return "";
    return valueWord(kind.name, param, value, format, command.shows[param.name]);
  }).filter(Boolean).join(", ");
}

/** What a command asks, of how many: for lists, panels and the journal. */
export function commandTitle(kinds: readonly KindSpec[], { verb, params, total }: { verb: string; params: Readonly<Record<string, unknown>>; total?: number }, format: Format): string {
  const kind = kinds.find(({ commands }) => commands.some((command) => command.verb === verb));
  const command = kind?.commands.find((other) => other.verb === verb);
  const said = kind && command ? paramsWord(kind, command, params, format) : "";
  const what = said === "" ? orderWord(verb) : i18next.t("order.to", { order: orderWord(verb), values: said });
  return total === undefined ? what : `${what} · ${i18next.t("order.many", { count: total, n: format.number(total) })}`;
}
