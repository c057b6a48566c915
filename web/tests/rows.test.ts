import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { TopicChange, TopicRows } from "../src/shared/live/protocol";
import { RowStore } from "../src/shared/live/rows";

const topic = "control.commands";
type Truth = Map<string, { n: number }>;
const pairs = (rows: Truth): [string, object][] => [...rows];
const snapshot = (rows: Truth, seq: number): TopicRows => ({ op: "rows", topic, seq, complete: true, rows: pairs(rows) });
const change = (seq: number, part: Partial<TopicChange>): TopicChange => ({
  op: "change", topic, seq, prev: seq - 1, put: [], drop: [], hint: [], ...part,
});
const contents = (store: RowStore) => new Map([...store.get(topic).byId].sort(([a], [b]) => a.localeCompare(b)));
const fresh = (rows: Truth): RowStore => {
  const store = new RowStore();
  store.snapshot(snapshot(rows, 1));
  return store;
};

const key = fc.integer({ min: 0, max: 9 }).map(String);
const step = fc.record({
  put: fc.dictionary(key, fc.record({ n: fc.integer({ min: 0, max: 3 }) })),
  drop: fc.array(key, { maxLength: 4 }),
});

describe("the rows of a topic", () => {
  it("after the changes equal a fresh snapshot", () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.record({ n: fc.nat() })), fc.array(step, { maxLength: 15 }), (first, steps) => {
        const truth: Truth = new Map(Object.entries(first));
        const store = fresh(truth);
        steps.forEach(({ put, drop }, i) => {
          const gone = drop.filter((id) => !(id in put));
          for (const [id, row] of Object.entries(put)) truth.set(id, row);
          for (const id of gone) truth.delete(id);
          expect(store.change(change(i + 2, { put: Object.entries(put), drop: gone }))).toBe(true);
        });
        expect(contents(store)).toEqual(contents(fresh(truth)));
        expect(new Set(store.get(topic).list)).toEqual(new Set(store.get(topic).byId.values()));
      }),
    );
  });

  it("ask for a snapshot when a step is missing, and pass over what they have", () => {
    const store = fresh(new Map([["a", { n: 1 }]]));
    expect(store.change(change(3, { drop: ["a"] }))).toBe(false);
    expect(store.change(change(1, { drop: ["a"] }))).toBe(true);
    expect(store.get(topic).byId.size).toBe(1);
    expect(new RowStore().change(change(1, {}))).toBe(false);
  });

  it("stay the same objects where nothing changed, also over a new snapshot", () => {
    const store = fresh(new Map([["a", { n: 1 }], ["b", { n: 1 }]]));
    const [a, b] = store.get(topic).list;
    store.change(change(2, { put: [["b", { n: 2 }]] }));
    expect(store.get(topic).byId.get("a")).toBe(a);
    expect(store.get(topic).byId.get("b")).not.toBe(b);
    store.snapshot(snapshot(new Map([["a", { n: 1 }]]), 1));
    expect(store.get(topic).list).toEqual([{ n: 1, id: "a" }]);
    expect(store.get(topic).list[0]).toBe(a);
    const before = store.get(topic);
    store.change(change(2, { hint: ["z"] }));
    expect(store.get(topic)).toBe(before);
  });

  it("tell which ids to look at again: changed, gone, or only hinted at", () => {
    const store = fresh(new Map([["a", { n: 1 }]]));
    const touched = vi.fn();
    store.onTouched(topic, touched);
    store.change(change(2, { put: [["b", { n: 1 }]], drop: ["a"], hint: ["c"] }));
    expect(touched).toHaveBeenLastCalledWith(["b", "a", "c"]);
    store.change(change(3, { hint: null }));
    expect(touched).toHaveBeenLastCalledWith(null);
    store.snapshot(snapshot(new Map(), 9));
    expect(touched).toHaveBeenLastCalledWith(null);
  });

  it("are gone once the topic may not be seen", () => {
    const store = fresh(new Map([["a", { n: 1 }]]));
    const listener = vi.fn();
    store.subscribe(topic, listener);
    store.drop(topic);
    expect(store.get(topic)).toMatchObject({ list: [], ready: false });
    expect(listener).toHaveBeenCalledOnce();
  });
});
