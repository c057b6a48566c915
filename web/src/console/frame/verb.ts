/** Why a verb may not be used now; the first reason that holds. */
export interface VerbConditions {
  permitted: boolean;
  live: boolean;
  /** False for verbs that make sense on what is old: a note, a setting. */
  needsLive: boolean;
  /** What the server or the object's state says against it, in words. */
  refused: string | null;
  /** Seconds that the server asked to wait. */
  wait: number;
}

export type Hindrance = { why: "permission" } | { why: "live" } | { why: "refused"; words: string } | { why: "wait"; seconds: number };

export function hindrance({ permitted, live, needsLive, refused, wait }: VerbConditions): Hindrance | null {
  if (!permitted) return { why: "permission" };
  if (refused !== null) return { why: "refused", words: refused };
  if (needsLive && !live) return { why: "live" };
  if (wait > 0) return { why: "wait", seconds: wait };
  return null;
}

/** The same act keeps its key, so that it may be sent again after a lost answer; another act has another. */
export class ActKey {
  private text: string | null = null;
  private key = "";

  for(act: unknown): string {
    const text = JSON.stringify(act);
    if (this.text !== text) {
      this.text = text;
      this.key = crypto.randomUUID();
    }
    return this.key;
  }

  done(): void {
    this.text = null;
  }
}
