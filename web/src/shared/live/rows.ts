/** The open rows of the topics followed, outside React: a snapshot of each and the changes since. */
import type { TopicChange, TopicRows } from "./protocol";

export type Row<T = object> = T & { readonly id: string };

/** One topic as it is now. A new object at each change; rows that did not change stay the same objects. */
export interface Rows<T = object> {
  readonly byId: ReadonlyMap<string, Row<T>>;
  readonly list: readonly Row<T>[];
  /** False until the first snapshot, and for a topic that may not be seen. */
  readonly ready: boolean;
  /** False when there are too many open rows to mirror: ask the API, and again at each hint. */
  readonly complete: boolean;
}

const none: Rows = { byId: new Map(), list: [], ready: false, complete: true };

/** Told of the ids that changed; null: of any. */
type Touched = (ids: readonly string[] | null) => void;

interface Topic {
  seq: number;
  rows: Rows;
}

export class RowStore {
  private readonly topics = new Map<string, Topic>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly touchListeners = new Map<string, Set<Touched>>();

  get(topic: string): Rows {
    return this.topics.get(topic)?.rows ?? none;
  }

  subscribe(topic: string, listener: () => void): () => void {
    return add(this.listeners, topic, listener);
  }

  /** Hear of every row of a topic that changed, open or not. */
  onTouched(topic: string, listener: Touched): () => void {
    return add(this.touchListeners, topic, listener);
  }

  snapshot(frame: TopicRows): void {
    const before = this.get(frame.topic).byId;
    const byId = new Map(frame.rows.map(([id, body]) => [id, kept(before.get(id), id, body)]));
    this.set(frame.topic, frame.seq, byId, frame.complete);
    this.touch(frame.topic, null);
  }

  /** False when the topic has to be asked anew: a step is missing. */
  change(frame: TopicChange): boolean {
    const topic = this.topics.get(frame.topic);
    if (!topic) return false;
    if (frame.seq <= topic.seq) return true;
    if (frame.prev !== topic.seq) return false;
    if (frame.put.length > 0 || frame.drop.length > 0) {
      const byId = new Map(topic.rows.byId);
      for (const [id, body] of frame.put) byId.set(id, kept(byId.get(id), id, body));
      for (const id of frame.drop) byId.delete(id);
      this.set(frame.topic, frame.seq, byId, topic.rows.complete);
    } else {
      topic.seq = frame.seq;
    }
    this.touch(frame.topic, frame.hint && [...frame.put.map(([id]) => id), ...frame.drop, ...frame.hint]);
    return true;
  }

  /** A topic that is not followed any more, or may no longer be seen. */
  drop(topic: string): void {
    if (this.topics.delete(topic)) this.tell(topic);
  }

  clear(): void {
    for (const topic of [...this.topics.keys()]) this.drop(topic);
  }

  /** The frame that brings another store to the same state. */
  frame(topic: string): TopicRows | null {
    const found = this.topics.get(topic);
    if (!found) return null;
    const rows = [...found.rows.byId].map(([id, row]): [string, object] => [id, row]);
    return { op: "rows", topic, seq: found.seq, complete: found.rows.complete, rows };
  }

  private set(topic: string, seq: number, byId: Map<string, Row>, complete: boolean): void {
    this.topics.set(topic, { seq, rows: { byId, list: [...byId.values()], ready: true, complete } });
    this.tell(topic);
  }

  private tell(topic: string): void {
    for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  private touch(topic: string, ids: readonly string[] | null): void {
    for (const listener of this.touchListeners.get(topic) ?? []) listener(ids);
  }
}

function kept(before: Row | undefined, id: string, body: object): Row {
  const after = { ...body, id };
  return before && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

function add<T>(all: Map<string, Set<T>>, topic: string, listener: T): () => void {
  const set = all.get(topic) ?? new Set<T>();
  all.set(topic, set.add(listener));
  return () => void set.delete(listener);
}
