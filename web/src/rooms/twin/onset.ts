/** Since when something is wrong: the beginning of the run of "yes" that lasts until now. */

export interface Onset {
  at: number;
  /** It was so when the history that was asked for begins: since then at least. */
  before: boolean;
}

export function onsetOf(t: readonly number[], v: readonly (number | null)[]): Onset | null {
  let from: number | null = null;
  for (let i = v.length - 1; i >= 0; i--) {
    const value = v[i];
    if (value === null || value === undefined) continue;
    if (value <= 0) return from === null ? null : { at: from, before: false };
    from = t[i] ?? from;
  }
  return from === null ? null : { at: from, before: true };
}
