/** A period among a filter's terms: `occurred:>=… occurred:<…`. */
import { type Term, joined, split } from "../../shared/filter";

export interface Span {
  from: number;
  to: number;
}

export function spanIn(terms: readonly Term[], field: string): Span | null {
  const of = (sign: string) => {
    const term = terms.find((one) => one.field === field && one.value.startsWith(sign) && !(sign === "<" && one.value.startsWith("<=")));
    return term ? Date.parse(term.value.slice(sign.length)) : NaN;
  };
  const [from, to] = [of(">="), of("<")];
  return Number.isNaN(from) || Number.isNaN(to) ? null : { from, to };
}

export function withoutField(filter: string, field: string): string {
  const { terms, words } = split(filter);
  return joined(terms.filter((term) => term.field !== field), words);
}
