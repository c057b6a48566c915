/** The parameters of an order, as a form holds them and as they are sent: worked out of the declaration. */
import type { Asset, CommandSpec, KindSpec, ParameterSpec } from "../../../shared/api/types";

export type Value = number | string | boolean;
export type Values = Readonly<Record<string, Value>>;

/** A number between bounds as wide as these is typed, not drawn on a slider. */
const widestSlider = 1_000;

export const isSlid = ({ kind, min, max }: ParameterSpec): boolean => kind === "number" && max - min <= widestSlider;

/** What the form begins with: what was last wanted, else what it shows, else the first that is possible. */
export function beginning(command: CommandSpec, kind: KindSpec, asset: Asset | undefined, given: Readonly<Record<string, unknown>> = {}): Values {
  return Object.fromEntries(command.params.map((param) => {
    const value = given[param.name];
    return [param.name, typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : first(command, kind, asset, param)];
  }));
}

function first(command: CommandSpec, kind: KindSpec, asset: Asset | undefined, param: ParameterSpec): Value {
  const point = command.shows[param.name];
  const now = point === undefined ? undefined : (asset?.desired?.[point] ?? asset?.state[point]?.value ?? undefined);
  switch (param.kind) {
    case "text": return "";
    case "flag": return now === 1;
    case "choice": {
      const name = now === undefined ? undefined : kind.metrics.find((metric) => metric.name === point)?.words[now];
      return name !== undefined && param.words.includes(name) ? name : (param.words[0] ?? "");
    }
    default: {
      const middle = isSlid(param) ? Math.round((param.min + param.max) / 2) : Math.max(param.min, 0);
      return now === undefined ? middle : Math.min(param.max, Math.max(param.min, Math.round(now * 100) / 100));
    }
  }
}

/** True when each parameter has a value that its declaration takes. */
export function complete(command: CommandSpec, values: Values): boolean {
  return command.params.every(({ name, kind, min, max, words }) => {
    const value = values[name];
    if (kind === "number") return typeof value === "number" && value >= min && value <= max;
    if (kind === "flag") return typeof value === "boolean";
    if (kind === "choice") return typeof value === "string" && words.includes(value);
    return typeof value === "string" && value.trim() !== "" && value.length <= max;
  });
}

/** The orders that a selection of several kinds may be given: each with the kinds that know it. */
export function ordersOf(kinds: readonly KindSpec[]): { command: CommandSpec; kinds: KindSpec[] }[] {
  const found = new Map<string, { command: CommandSpec; kinds: KindSpec[] }>();
  for (const kind of kinds) {
    for (const command of kind.commands) {
      const known = found.get(command.verb);
      if (known) known.kinds.push(kind);
      else found.set(command.verb, { command, kinds: [kind] });
    }
  }
  return [...found.values()];
}
