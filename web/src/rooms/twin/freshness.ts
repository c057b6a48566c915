/** How a value's age is shown: dim at first, then stated, then hollow when older than its kind promises. */
export type Freshness = "fresh" | "aging" | "stale";

export function freshness(age: number | null, promise: number | null, live: boolean): Freshness {
  if (age === null || !live) return "stale";
  if (promise === null) return "fresh";
  if (age > promise) return "stale";
  return age > promise / 2 ? "aging" : "fresh";
}
