import { describe, expect, it } from "vitest";
import { freshness } from "../src/rooms/twin/freshness";
import { askedBefore, byLevel, keep, keptFor } from "../src/rooms/control/before";
import { requester, unconfirmed, underWay } from "../src/rooms/control/progress";
import { fieldChanges } from "../src/rooms/journal/change";
import { fieldOf, quote, withField } from "../src/shared/filter";
import { radiusAt } from "../src/console/map/lightsLayer";
import { mercatorX, mercatorY } from "../src/console/map/mercator";
import { lightAt, lightsInBox } from "../src/console/map/pick";
import { preview } from "../src/rooms/mqtt/payload";
import { fold, lightsOf, matching } from "../src/console/shell/verbs";
import { useDesk } from "../src/console/state/desk";
import type { Command } from "../src/shared/api/types";
import { LightStore } from "../src/shared/live/store";

describe("freshness", () => {
  it("goes from fresh to aging to stale, and is stale whenever the screens are not live", () => {
    expect([10, 100, 200, null].map((age) => freshness(age, 180, true))).toEqual(["fresh", "aging", "stale", "stale"]);
    expect(freshness(1, 180, false)).toBe("stale");
  });
  it("never ends for a value of which only changes are told", () => {
    expect(freshness(1e6, null, true)).toBe("fresh");
  });
});

describe("a command's progress", () => {
  const command = (counts: Command["counts"], ended_at: string | null): Command => ({
    id: "1", verb: "set_dimming_level", params: { level: 40 }, requested_by: { id: null, name: null }, entry: "", requested_at: "", expires_at: "",
    reason: null, total: 10, counts, ended_at,
  });
  it("adds up", () => {
    const open = command({ confirmed: 5, refused: 1, timed_out: 1, sent: 3 }, null);
    expect([unconfirmed(open.counts), underWay(open)]).toEqual([2, 3]);
    expect(underWay(command({ confirmed: 9, failed: 1 }, "2026-01-01T00:00:00Z"))).toBe(0);
    expect(requester(open)).toBe("–");
  });
});

describe("the way back", () => {
  it("gathers the lights by the level they had, most first, without those already there", () => {
    const levels = new Map([[1, 70], [2, 39.6], [3, 40], [4, 55], [5, 70.2], [6, 40]]);
    expect(byLevel(levels, 55)).toEqual([{ level: 40, ids: [2, 3, 6] }, { level: 70, ids: [1, 5] }]);
  });
  it("is read from the journal where this window did not send the command", () => {
    const change = (object_id: string, before: unknown) => ({ object_type: "twin.asset", object_id, before, after: { dimmingLevel: 55 }, scope: "" });
    expect([...askedBefore([change("7", { dimmingLevel: 40 }), change("8", null)])]).toEqual([[7, 40]]);
  });
  it("forgets the oldest of many commands", () => {
    for (let i = 0; i <= 40; i++) keep(`c${i}`, new Map([[1, i]]));
    expect(keptFor("c0")).toBeNull();
    expect(keptFor("c40")?.get(1)).toBe(40);
  });
});

describe("the filter", () => {
  it("sets and takes out one field, and leaves the rest", () => {
    expect(withField("rue kind:Streetlight", "municipality", "21231")).toBe("rue kind:Streetlight municipality:21231");
    expect(withField('a street:"Rue Monge" b', "street", "Rue d’Assas")).toBe('a b street:"Rue d’Assas"');
    expect(withField("a municipality:21231", "municipality", null)).toBe("a");
    expect(fieldOf('x street:"Rue \\"A\\" B"', "street")).toBe('Rue "A" B');
    expect(fieldOf("x", "street")).toBeNull();
    expect(quote("plain")).toBe("plain");
  });
});

describe("changes", () => {
  it("show only what differs", () => {
    expect(fieldChanges({ level: 70, x: 1 }, { level: 40, x: 1 })).toEqual([{ field: "level", before: "70", after: "40" }]);
    expect(fieldChanges(null, { a: [1] })).toEqual([{ field: "a", before: null, after: "[1]" }]);
    expect(fieldChanges("a", null)).toEqual([{ field: "", before: "a", after: null }]);
  });
});

describe("a payload's preview", () => {
  it("is text that can do nothing", () => {
    const shown = preview(btoa('{"a":"<b>\u0007"}'), 12);
    expect(shown.text).toBe('{"a":"<b>\ufffd"}');
    expect(shown.binary).toBe(false);
  });
  it("is hexadecimal when it is not text, and says when it is cut", () => {
    expect(preview(btoa("\xff\xfe\xfd\xfc"), 9_000)).toEqual({ text: "ff fe fd fc", binary: true, cut: true });
    expect(preview("%%", 2).binary).toBe(true);
  });
});

describe("the command bar", () => {
  it("finds verbs by the beginnings of their words, without accents", () => {
    const verbs = ["Aller à : Quarantaine", "Vider la sélection"].map((label, i) => ({ id: String(i), label, run: () => undefined }));
    expect(matching(verbs, "quar").map(({ id }) => id)).toEqual(["0"]);
    expect(matching(verbs, "SELEC vid").map(({ id }) => id)).toEqual(["1"]);
    expect(matching(verbs, "ran")).toEqual([]);
    expect(fold("Économie")).toBe("economie");
  });
  it("names the lights of a place in the filter's language", () => {
    const place = { id: "1", point: [5, 47] as [number, number], bbox: null };
    expect(lightsOf({ ...place, type: "street", label: "Rue Monge", detail: "Dijon" })).toBe('kind:Streetlight street:"Rue Monge" municipality:Dijon');
    expect(lightsOf({ ...place, type: "municipality", label: "Chenôve", detail: "" })).toBe("kind:Streetlight municipality:Chenôve");
  });
});

describe("the map", () => {
  const store = new LightStore();
  store.snapshot({
    op: "snapshot", channel: "a", seq: 1, kind: "Streetlight", id: [1, 2, 3], lon: [5, 5.001, 5.002], lat: [47, 47, 47],
    at: [1000, 1000, 1000], values: { dimmingLevel: [0, 50, 100], activePower: [0, 0, 0] }, flags: [0, 1, 32],
  });
  const eye = { now: 1010, promise: 180, shown: { normal: true, failures: true, silent: true, pending: true }, found: null };
  const box = { west: 4, south: 46, east: 6, north: 48 };
  it("selects what is shown, and nothing else", () => {
    expect(lightsInBox(store, box, eye)).toEqual([1, 2]);
    expect(lightsInBox(store, box, { ...eye, shown: { ...eye.shown, failures: false } })).toEqual([1]);
    expect(lightsInBox(store, box, { ...eye, found: new Set([2]) })).toEqual([2]);
  });
  it("finds the nearest light within reach", () => {
    expect(lightAt(store, 5.0008, 47, 0.001, eye)).toBe(2);
    expect(lightAt(store, 5.01, 47, 0.001, eye)).toBeNull();
  });
  it("grows its dots with the zoom", () => {
    const sizes = [5, 9, 10, 13, 16, 19, 22].map(radiusAt);
    expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
  });
  it("projects like everyone", () => {
    expect([mercatorX(0), mercatorX(180), mercatorY(0)]).toEqual([0.5, 1, 0.5]);
    expect(mercatorY(85.0511287798)).toBeCloseTo(0, 9);
  });
});

describe("the desk", () => {
  it("keeps one panel of each kind, the newest on top, and the selection with its panel", () => {
    const desk = useDesk.getState();
    desk.openPanel({ kind: "asset", id: 1 });
    desk.select([4, 5]);
    desk.openPanel({ kind: "asset", id: 2 });
    expect(useDesk.getState().panels).toEqual([{ kind: "asset", id: 2 }, { kind: "selection" }]);
    desk.toggleSelected(4);
    desk.toggleSelected(5);
    expect(useDesk.getState().panels).toEqual([{ kind: "asset", id: 2 }]);
    desk.retry([7], { level: 40, reason: "again" });
    expect([...useDesk.getState().selection]).toEqual([7]);
    desk.closePanel({ kind: "selection" });
    expect(useDesk.getState().selection.size).toBe(0);
  });
});
