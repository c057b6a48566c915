import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conditionOf } from "../src/shared/live/condition";
import type { Delta, Snapshot } from "../src/shared/live/protocol";
import { LightStore } from "../src/shared/live/store";

interface Lamp {
  at: number | null;
  level: number | null;
  power: number | null;
  flags: number;
}
const lamp: fc.Arbitrary<Lamp> = fc.record({
  at: fc.option(fc.integer({ min: 1_700_000_000, max: 1_800_000_000 })),
  level: fc.option(fc.integer({ min: 0, max: 100 })),
  power: fc.option(fc.integer({ min: 0, max: 500 })),
  flags: fc.integer({ min: 0, max: 63 }),
});

function columns(lamps: ReadonlyMap<number, Lamp>) {
  const all = [...lamps];
  return {
    id: all.map(([id]) => id),
    at: all.map(([, { at }]) => at),
    values: {
      dimmingLevel: all.map(([, { level }]) => level),
      activePower: all.map(([, { power }]) => power),
    },
    flags: all.map(([, { flags }]) => flags),
  };
}

function snapshot(lamps: ReadonlyMap<number, Lamp>, seq: number, channel = "21231/lighting"): Snapshot {
  return {
    op: "snapshot", channel, seq, kind: "Streetlight",
    lon: [...lamps.keys()].map((id) => 5 + id / 1000), lat: [...lamps.keys()].map((id) => 47 + id / 1000), ...columns(lamps),
  };
}

function delta(lamps: ReadonlyMap<number, Lamp>, prev: number): Delta {
  return { op: "delta", channel: "21231/lighting", seq: prev + 1, prev, ...columns(lamps) };
}

const all = (store: LightStore, ids: Iterable<number>) => [...ids].map((id) => store.get(id));

describe("the live store", () => {
  it("after the deltas equals a fresh snapshot", () => {
    fc.assert(
      fc.property(
        fc.array(lamp, { minLength: 1, maxLength: 30 }),
        fc.array(fc.array(fc.tuple(fc.nat(), lamp), { maxLength: 12 }), { maxLength: 12 }),
        (first, steps) => {
          const truth = new Map(first.map((state, id) => [id + 1, state]));
          const store = new LightStore();
          store.snapshot(snapshot(truth, 7));
          steps.forEach((step, i) => {
            const changed = new Map(step.map(([n, state]) => [(n % first.length) + 1, state]));
            for (const [id, state] of changed) truth.set(id, state);
            expect(store.delta(delta(changed, 7 + i))).toBe(true);
          });
          const fresh = new LightStore();
          fresh.snapshot(snapshot(truth, 7 + steps.length));
          expect(all(store, truth.keys())).toEqual(all(fresh, truth.keys()));
        },
      ),
    );
  });

  it("asks anew when a step is missing, and passes over what it already has", () => {
    const lamps = new Map([[1, { at: 5, level: 10, power: 3, flags: 0 }]]);
    const store = new LightStore();
    expect(store.delta(delta(lamps, 1))).toBe(false);
    store.snapshot(snapshot(lamps, 4));
    expect(store.delta(delta(lamps, 5))).toBe(false);
    const old = delta(new Map([[1, { at: 6, level: 99, power: 3, flags: 0 }]]), 3);
    expect(store.delta(old)).toBe(true);
    expect(store.get(1)?.level).toBe(10);
  });

  it("asks anew when a delta names a light it does not know", () => {
    const store = new LightStore();
    store.snapshot(snapshot(new Map([[1, { at: 5, level: 10, power: 3, flags: 0 }]]), 1));
    expect(store.delta(delta(new Map([[2, { at: 5, level: 10, power: 3, flags: 0 }]]), 1))).toBe(false);
  });

  it("drops the channels it is no longer given", () => {
    const store = new LightStore();
    store.snapshot(snapshot(new Map([[1, { at: 5, level: 10, power: 3, flags: 0 }]]), 1));
    store.snapshot(snapshot(new Map([[2, { at: 5, level: 10, power: 3, flags: 0 }]]), 1, "21166/lighting"));
    store.keepOnly(new Set(["21166/lighting"]));
    expect([store.get(1), store.get(2)?.id, store.total]).toEqual([null, 2, 1]);
  });

  it("counts each light once, retired ones not at all", () => {
    fc.assert(
      fc.property(fc.array(lamp, { maxLength: 60 }), fc.integer({ min: 1_700_000_000, max: 1_800_000_000 }), (states, now) => {
        const store = new LightStore();
        store.snapshot(snapshot(new Map(states.map((state, id) => [id + 1, state])), 1));
        const counted = store.count(now, 180);
        const { normal, silent, supply, lamp: broken, fault, unexpected, total, reported } = counted;
        expect(normal + silent + supply + broken + fault + unexpected).toBe(total);
        expect(reported).toBe(total - silent);
        expect(total).toBe(states.filter(({ flags }) => !(flags & 32)).length);
      }),
    );
  });
});

describe("a light's condition", () => {
  it("is silent before all else: an old failure is not shown as if it were present", () => {
    expect(conditionOf(3, 100, 1000, 180)).toBe("silent");
    expect(conditionOf(3, NaN, 1000, 180)).toBe("silent");
    expect(conditionOf(3, 900, 1000, 180)).toBe("supply");
    expect(conditionOf(1, 900, 1000, 180)).toBe("lamp");
    expect(conditionOf(12, 900, 1000, 180)).toBe("fault");
    expect(conditionOf(8, 900, 1000, 180)).toBe("unexpected");
    expect(conditionOf(16, 900, 1000, 180)).toBe("normal");
    expect(conditionOf(35, 100, 1000, 180)).toBe("retired");
  });
});
