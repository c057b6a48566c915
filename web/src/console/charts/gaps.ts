/** Where nothing was measured, a chart draws nothing. */

export interface Line {
  label: string;
  /** Instants in ms, rising. */
  t: readonly number[];
  v: readonly (number | null)[];
}

/** The distance from which two measures have a gap between them: what the kind promises, or what the measures themselves keep to. */
export function gapOf(t: readonly number[], promise: number | null, raw: boolean): number {
  if (raw && promise !== null) return promise * 2_500;
  const steps = t.slice(1).map((at, i) => at - (t[i] ?? at)).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)];
  return usual === undefined || (raw && promise === null) ? Infinity : usual * 2.5;
}

/** The same line with an empty point in each gap, just after the last measure before it. */
export function withGaps({ t, v }: Pick<Line, "t" | "v">, gap: number): { t: number[]; v: (number | null)[] } {
  const times: number[] = [];
  const values: (number | null)[] = [];
  t.forEach((at, i) => {
    const before = t[i - 1];
    if (before !== undefined && at - before > gap) {
      times.push(before + 1);
      values.push(null);
    }
    times.push(at);
    values.push(v[i] ?? null);
  });
  return { t: times, v: values };
}
