import { describe, expect, it } from "vitest";
import { gapOf, withGaps } from "../src/console/charts/gaps";
import { spanIn, withoutField } from "../src/console/frame/timeTerms";
import { idsAtOnce, pageOfIds } from "../src/console/list/faults";
import { middleIn } from "../src/console/map/anchor";
import { keptOf, tileOf, windowOf } from "../src/console/own/calls";
import { others } from "../src/console/own/Colleagues";
import { withTile } from "../src/console/own/wall";
import { stripOf } from "../src/console/shell/alarms";
import { panelInAddress } from "../src/console/shell/windows";
import type { WindowState } from "../src/console/state/bus";
import { useDesk, withPanel } from "../src/console/state/desk";
import { fromLocal, localHour, rangeOf, rangeTerms, toLocal } from "../src/console/state/range";
import { typeOf } from "../src/console/wall/scale";
import { previewOf } from "../src/rooms/control/preview";
import { onsetOf } from "../src/rooms/twin/onset";
import { split } from "../src/shared/filter";
import { makeFormat } from "../src/shared/i18n/format";
import { type ColourName, palettes } from "../src/shared/tokens";

const paris = "Europe/Paris";
const at = (text: string) => Date.parse(text);

describe("ranges, as people name them", () => {
  it("call the running night tonight, and the last one until the next begins", () => {
    expect(rangeOf("night", at("2026-11-28T20:14:00Z"), paris)).toEqual({ from: at("2026-11-28T17:00:00Z"), to: at("2026-11-28T20:14:00Z") });
    expect(rangeOf("night", at("2026-11-28T02:12:00Z"), paris)).toEqual({ from: at("2026-11-27T17:00:00Z"), to: at("2026-11-28T02:12:00Z") });
    expect(rangeOf("night", at("2026-11-28T14:00:00Z"), paris)).toEqual({ from: at("2026-11-27T17:00:00Z"), to: at("2026-11-28T07:00:00Z") });
  });
  it("make yesterday a whole day of the territory, also one of 25 hours", () => {
    const { from, to } = rangeOf("yesterday", at("2026-10-26T09:00:00Z"), paris);
    expect([from, to]).toEqual([at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")]);
    expect(to - from).toBe(25 * 3_600_000);
    expect(localHour(at("2026-03-29T12:00:00Z"), 0, 8, paris)).toBe(at("2026-03-29T06:00:00Z"));
  });
  it("are written and read as local time, and as terms of a filter", () => {
    expect(toLocal(at("2026-11-28T17:00:00Z"), paris)).toBe("2026-11-28T18:00");
    expect(fromLocal("2026-11-28T18:00", paris)).toBe(at("2026-11-28T17:00:00Z"));
    expect(fromLocal("demain", paris)).toBeNull();
    const span = { from: at("2026-11-27T17:00:00Z"), to: at("2026-11-28T07:00:00Z") };
    const filter = ["act:access", ...rangeTerms("occurred", span)].join(" ");
    expect(spanIn(split(filter).terms, "occurred")).toEqual(span);
    expect(withoutField(filter, "occurred")).toBe("act:access");
    expect(spanIn(split("occurred:2026-11-27").terms, "occurred")).toBeNull();
  });
});

describe("charts", () => {
  it("show a gap where nothing was measured, and none where a measure comes only when it changes", () => {
    const t = [0, 60_000, 120_000, 600_000];
    expect(withGaps({ t, v: [1, 2, 3, 4] }, gapOf(t, 60, true))).toEqual({ t: [0, 60_000, 120_000, 120_001, 600_000], v: [1, 2, 3, null, 4] });
    expect(gapOf(t, null, true)).toBe(Infinity);
    expect(gapOf([0, 60_000, 120_000, 600_000], null, false)).toBe(150_000);
    expect(withGaps({ t: [], v: [] }, gapOf([], null, false))).toEqual({ t: [], v: [] });
  });
});

describe("panels and selections", () => {
  it("keep what is pinned beside the newest of its kind", () => {
    const first = { kind: "asset", id: 1, pinned: true };
    expect(withPanel([first], { kind: "asset", id: 2 })).toEqual([{ kind: "asset", id: 2 }, first]);
    expect(withPanel([{ kind: "asset", id: 1 }], { kind: "asset", id: 2 })).toEqual([{ kind: "asset", id: 2 }]);
    expect(withPanel([{ kind: "asset", id: 2 }, first], { kind: "asset", id: 1 })[0]).toEqual(first);
  });
  it("are recalled after Escape, and change places with what is selected", () => {
    const desk = useDesk.getState();
    desk.select([1, 2, 3]);
    desk.clearSelection();
    expect([...useDesk.getState().recalled]).toEqual([1, 2, 3]);
    useDesk.getState().recall();
    expect([...useDesk.getState().selection]).toEqual([1, 2, 3]);
    useDesk.getState().select([9]);
    useDesk.getState().recall();
    expect([[...useDesk.getState().selection], [...useDesk.getState().recalled]]).toEqual([[1, 2, 3], [9]]);
    useDesk.getState().clearSelection();
  });
  it("are listed as they were counted, a page at a time", () => {
    const ids = Array.from({ length: 250 }, (_, i) => i);
    expect([0, 1, 2, 3].map((page) => pageOfIds(ids, page).length)).toEqual([idsAtOnce, idsAtOnce, 50, 0]);
  });
});

describe("the map's pixels", () => {
  it("stay where they are when a dock opens at the right or a list at the left", () => {
    const before = { left: 64, top: 44, width: 1_856, height: 1_000 };
    expect(middleIn(before, { ...before, width: 1_436 })).toEqual([718, 500]);
    expect(middleIn(before, { left: 1_104, top: 44, width: 816, height: 1_000 })).toEqual([1_448, 500]);
    expect(middleIn(before, { ...before, height: 600 })).toEqual([928, 300]);
  });
});

describe("windows", () => {
  const window: WindowState = {
    path: "/journal?filter=a", left: -1919.5, top: 0, width: 1920, height: 1080, panels: [{ kind: "asset", id: 7, pinned: true }], filter: "status:fault",
    drawer: true, sideBySide: true, range: { name: "custom", from: 1, to: 2 }, view: [5, 47, 6, 48], linked: false,
  };
  it("come back from a post as they were", () => {
    expect(windowOf(keptOf(window))).toEqual({ ...window, left: -1919 });
    expect(windowOf(keptOf({ ...window, range: { name: "night" } })).range).toEqual({ name: "night" });
  });
  it("of a torn-off panel are known by their address", () => {
    expect(panelInAddress("/window/asset/17")).toEqual({ kind: "asset", id: "17" });
    expect(panelInAddress("/journal")).toBeNull();
  });
});

describe("colleagues", () => {
  const hold = { type: "twin.asset", object: "7", person: "a", name: "Anne", since: "2026-11-28T20:00:00Z", until: "2026-11-28T20:01:00Z" };
  it("are those who are at the same object, now, besides oneself", () => {
    const now = at("2026-11-28T20:00:30Z");
    const all = [hold, { ...hold, person: "me" }, { ...hold, person: "b", object: "8" }, { ...hold, person: "c", until: "2026-11-28T20:00:10Z" }];
    expect(others(all, { type: "twin.asset", id: "7" }, "me", now).map(({ person }) => person)).toEqual(["a"]);
  });
});

describe("the wall", () => {
  it("has type of 20 px on 1080 lines, 40 on 2160, more from afar, never less", () => {
    expect([typeOf(1080, 1), typeOf(2160, 1), typeOf(1080, 1.5), typeOf(600, 1), typeOf(1080, NaN)]).toEqual([20, 40, 30, 20, 20]);
  });
  it("takes a tile in the place of the same one, and at most eight", () => {
    const map = tileOf("map", { view: [5, 47, 6, 48] });
    expect(withTile([tileOf("map"), tileOf("counters")], map)).toEqual([map, tileOf("counters")]);
    expect(withTile(Array.from({ length: 8 }, (_, i) => tileOf("asset", { asset: i })), map)).toHaveLength(8);
  });
});

describe("the alarm strip", () => {
  it("names the newest of the most urgent that nobody acknowledged, and counts mine", () => {
    const alarm = { priority: "high" as const, title: "", since: "2026-11-28T20:00:00Z", acknowledged: false };
    const strip = stripOf([
      { ...alarm, id: "old", priority: "critical" }, { ...alarm, id: "new", priority: "critical", since: "2026-11-28T20:05:00Z" },
      { ...alarm, id: "seen", priority: "critical", acknowledged: true, since: "2026-11-28T20:09:00Z", owner: "me" }, { ...alarm, id: "high", since: "2026-11-28T20:08:00Z" },
    ], "me");
    expect([strip.newest?.id, strip.fresh, strip.mine, strip.counts.critical]).toEqual(["new", 3, 1, 3]);
  });
});

describe("acting", () => {
  it("previews the levels that would change, and who may not answer", () => {
    const light = (id: number, level: number, since: number) => ({ id, channel: "", kind: "Streetlight", lon: 0, lat: 0, at: since, values: { dimmingLevel: level }, level, power: 0, flags: 0 });
    const store = new Map([light(1, 60, 100), light(2, 60, 100), light(3, 0, 100), light(4, 80, 0)].map((one) => [one.id, one]));
    const found = previewOf({ get: (id) => store.get(id) ?? null }, [1, 2, 3, 4, 5], 110, () => 50);
    expect(found).toEqual({ levels: [{ level: 60, n: 2 }, { level: 0, n: 1 }], more: 0, mute: 1 });
  });
});

describe("onset", () => {
  it("is where the last run of yes begins; or at least the beginning of what was asked for", () => {
    expect(onsetOf([1, 2, 3, 4], [0, 1, null, 1])).toEqual({ at: 2, before: false });
    expect(onsetOf([1, 2], [1, 1])).toEqual({ at: 1, before: true });
    expect(onsetOf([1, 2], [1, 0])).toBeNull();
  });
});

describe("colours", () => {
  const light = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((from) => parseInt(hex.slice(from, from + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  it("set critical off more than high, whatever one's eyes make of red", () => {
    for (const { critical, high, panel } of Object.values(palettes)) {
      expect(contrast(critical, panel)).toBeGreaterThan(contrast(high, panel));
    }
    expect(light(palettes.dark.critical)).toBeGreaterThan(light(palettes.dark.high));
  });
  it("are readable on every ground, in both themes", () => {
    const texts: ColourName[] = ["first", "second", "third", "focus", "critical", "high"];
    for (const palette of Object.values(palettes)) {
      for (const text of texts) for (const ground of ["void", "panel", "raised"] as const) expect(contrast(palette[text], palette[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(palette.onCritical, palette.critical)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it("writes 8,6 kW, not 9", () => expect(makeFormat("fr", paris).quantity(8.6, "kW").replace(/\s/g, " ")).toBe("8,6 kW"));
