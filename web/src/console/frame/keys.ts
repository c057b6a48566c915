/** Moving through rows by keyboard, and the two-letter keys that go to a desk. */

const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity,
};

/** The row that a key leads to; null when the key moves nothing. */
export function moved(key: string, current: number, count: number): number | null {
  const step = steps[key];
  if (step === undefined || count === 0) return null;
  return Math.max(0, Math.min(count - 1, current + step));
}

/** Where the cursor stands once the rows are others: on the same row if it is still there, or at the same height. */
export function kept(ids: readonly string[], id: string | null, index: number): number {
  const found = id === null ? -1 : ids.indexOf(id);
  return found >= 0 ? found : Math.max(0, Math.min(ids.length - 1, index));
}

/** How long a `g` waits for its letter. */
const patience = 2_000;

/** `g`, then a letter. */
export class GoKeys {
  private since: number | null = null;

  /** True while the next letter belongs to a `g`: no other key may take it. */
  pending(now: number): boolean {
    return this.since !== null && now - this.since <= patience;
  }

  /** The letter of a completed pair, "" when a `g` begins one, null when the key is somebody else's. */
  press(key: string, now: number): string | null {
    const pending = this.pending(now);
    this.since = null;
    if (pending) return key;
    if (key !== "g") return null;
    this.since = now;
    return "";
  }
}

export const goKeys = new GoKeys();

/** Keys belong to what is typed in. */
export function typing(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export const plainKey = (event: Pick<KeyboardEvent, "ctrlKey" | "metaKey" | "altKey">): boolean => !event.ctrlKey && !event.metaKey && !event.altKey;
