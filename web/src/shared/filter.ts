/** The one language of filters, as far as the screens take it apart: words, and `field:value` terms. */

/** A value with a space or a quote needs quotes. */
export function quote(value: string): string {
  return /[\s":]/.test(value) ? `"${value.replaceAll('"', '\\"')}"` : value;
}

const term = (field: string) => new RegExp(`(?:^|\\s)${field}:(?:"(?:[^"\\\\]|\\\\.)*"|\\S*)`, "g");

/** The filter with one field set, or taken out when the value is null. */
export function withField(filter: string, field: string, value: string | null): string {
  const rest = filter.replace(term(field), " ").replace(/\s+/g, " ").trim();
  return value === null ? rest : `${rest} ${field}:${quote(value)}`.trim();
}

const unquoted = (text: string): string => (text.startsWith('"') ? text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined).replaceAll('\\"', '"') : text);

export function fieldOf(filter: string, field: string): string | null {
  const found = filter.match(term(field))?.[0].trim().slice(field.length + 1);
  return found === undefined ? null : unquoted(found);
}

export interface Term {
  field: string;
  /** Without its quotes; a comparison (`>=2026-11-23`) keeps its sign. */
  value: string;
  /** As it stands in the filter. */
  text: string;
}

/** A filter as terms, each of which a chip shows, and the words that are left. */
export function split(filter: string): { terms: Term[]; words: string } {
  const terms: Term[] = [];
  const words: string[] = [];
  for (const [text] of filter.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^\s"]|"(?=[^"]*$))+/g)) {
    const found = /^(-?[\w.]+):(.+)$/s.exec(text);
    if (found?.[1] && found[2]) terms.push({ field: found[1], value: unquoted(found[2]), text });
    else words.push(text);
  }
  return { terms, words: words.join(" ") };
}

export const joined = (terms: readonly Pick<Term, "text">[], words: string): string => [...terms.map(({ text }) => text), words.trim()].filter(Boolean).join(" ");

/** A ready-made filter pressed once more is taken out again. */
export function toggled(filter: string, part: string): string {
  const { terms, words } = split(filter);
  const wanted = split(part).terms.map(({ text }) => text);
  const has = wanted.every((text) => terms.some((other) => other.text === text));
  const fields = new Set(split(part).terms.map(({ field }) => field));
  const rest = terms.filter(({ field, text }) => (has ? !wanted.includes(text) : !fields.has(field)));
  return joined([...rest, ...(has ? [] : wanted.map((text) => ({ text })))], words);
}

export function holds(filter: string, part: string): boolean {
  const { terms } = split(filter);
  return split(part).terms.every(({ text }) => terms.some((other) => other.text === text));
}
