import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freshness } from "../src/rooms/twin/freshness";
import { askedBefore, byLevel, keep, keptFor } from "../src/rooms/control/before";
import { requester, unconfirmed, underWay } from "../src/rooms/control/progress";
import { fieldChanges } from "../src/rooms/journal/change";
import { fieldOf, quote, withField } from "../src/shared/filter";
import { radiusAt, signRadiusAt } from "../src/console/map/assetLayer";
import { clustersOf } from "../src/console/map/clusters";
import { features } from "../src/console/map/clusterLayer";
import { atlas, iconIndex, icons } from "../src/console/map/icons";
import { grouped, promiseOf } from "../src/console/map/layers";
import { latitudeOf, longitudeOf, mercatorX, mercatorY } from "../src/console/map/mercator";
import { type Eye, assetAt, inBox, inRing } from "../src/console/map/pick";
import { palettes } from "../src/shared/tokens";
import { preview } from "../src/rooms/mqtt/payload";
import { fold, lightsOf, matching } from "../src/console/shell/verbs";
import { useDesk } from "../src/console/state/desk";
import type { Command, KindSpec } from "../src/shared/api/types";
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
    reason: null, urgent: false, total: 10, counts, ended_at,
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
  store.snapshot({
    op: "snapshot", channel: "b", seq: 1, kind: "Bus", id: [7, 8], lon: [5.0008, 5.3], lat: [47.0002, 47.3], at: [100, 1000], values: { heading: [90, null] }, flags: [0, 4],
  });
  store.setPromises([["Streetlight", 180], ["Bus", null]]);
  const eye: Eye = {
    now: 1010, live: true, promiseOf: (kind) => store.promiseOf(kind, 180), shown: { normal: true, failures: true, silent: true, pending: true },
    found: null, hidden: new Set(["Bus"]),
  };
  const all = { ...eye, hidden: new Set<string>() };
  const box = { west: 4, south: 46, east: 6, north: 48 };
  it("selects what is shown, and nothing else", () => {
    expect(inBox(store, box, eye)).toEqual([1, 2]);
    expect(inBox(store, box, { ...eye, shown: { ...eye.shown, failures: false } })).toEqual([1]);
    expect(inBox(store, box, { ...eye, found: new Set([2]) })).toEqual([2]);
  });
  it("selects every kind that is shown, by box and by a line drawn around", () => {
    expect(inBox(store, box, all)).toEqual([1, 2, 7, 8]);
    expect(inRing(store, [[4.9, 46.9], [5.0009, 46.9], [5.0009, 47.1], [4.9, 47.1]], all)).toEqual([1, 7]);
    // A line that turns in: what lies in the notch is outside.
    expect(inRing(store, [[4.9, 46.9], [5.4, 46.9], [5.4, 47.4], [5.2, 47.4], [5.2, 47.0001], [4.9, 47.0001]], all)).toEqual([1, 2, 8]);
    expect(inRing(store, [[4.9, 46.9], [5.1, 46.9]], all)).toEqual([]);
  });
  it("finds the nearest within reach; signs reach further than lamps", () => {
    const near = () => 0.001;
    expect(assetAt(store, 5.0008, 47, near, eye)).toBe(2);
    expect(assetAt(store, 5.01, 47, near, eye)).toBeNull();
    expect(assetAt(store, 5.0008, 47, near, all)).toBe(2);
    expect(assetAt(store, 5.0008, 47, (channel) => (channel.lamps ? 0.0001 : 0.001), all)).toBe(7);
    expect(assetAt(store, 5.0008, 47.0002, (channel) => (channel.lamps ? 0.001 : 0), all)).toBe(2);
  });
  it("counts each kind, and what of it asks for a person; a kind that promises nothing is not silent", () => {
    expect(Object.fromEntries(store.tally(1010, 180))).toEqual({ Streetlight: { total: 2, abnormal: 1, silent: 0 }, Bus: { total: 2, abnormal: 1, silent: 0 } });
    const kind = (name: string, trade: string) => ({ name, trade }) as KindSpec;
    const groups = grouped([kind("Bus", "mobility"), kind("Streetlight", "lighting"), kind("Door", "buildings")], new Map([["Bus", { total: 9, abnormal: 1 }], ["Streetlight", { total: 40, abnormal: 0 }]]));
    expect(groups.map(({ trade, kinds }) => [trade, kinds.map(({ total }) => total)])).toEqual([["lighting", [40]], ["mobility", [9]]]);
    const metrics = (...promises: (number | null)[]) => ({ metrics: promises.map((promise_s) => ({ promise_s })) }) as KindSpec;
    expect([promiseOf(metrics(180, 60, null)), promiseOf(metrics(null))]).toEqual([60, null]);
  });
  it("takes what another kind marks for a fault, not for a failed lamp", () => {
    const marked = new LightStore();
    marked.snapshot({ op: "snapshot", channel: "c", seq: 1, kind: "Camera", id: [1], lon: [5], lat: [47], at: [1000], values: { stream: [0] }, flags: [1] });
    expect(marked.count(1010, 180)).toMatchObject({ lamp: 0, fault: 1, total: 1 });
    // The list behind a counter is what it counted.
    expect([marked.counted("lamp", 1010, 180), marked.counted("fault", 1010, 180)]).toEqual([[], [1]]);
  });
  it("gathers signs into squares that keep their place, with their count and worst state", () => {
    const channel = store.channels.get("b");
    if (!channel) throw new Error("no channel");
    const positions = Float32Array.from([0.5, 0.5, 0.50001, 0.50001]);
    const view = { x: 0.4, y: 0.4, width: 0.2, height: 0.2 };
    const [one, ...none] = clustersOf([{ channel, positions }], [0, 0], view, 10, all);
    expect([one?.count, one?.worst, none]).toEqual([2, "fault", []]);
    expect(features(one ? [one] : [], palettes.dark, true).features[0]?.properties).toMatchObject({ count: 2, label: "■ 2", fill: palettes.dark.medium });
    // A picture that stands still is hollow, and keeps what it last meant.
    expect(features(one ? [one] : [], palettes.dark, false).features[0]?.properties).toMatchObject({ label: "■ 2", fill: palettes.dark.void, edge: palettes.dark.medium });
    expect(clustersOf([{ channel, positions }], [0, 0], { ...view, x: 0.45 }, 10.9, all)).toEqual([one]);
    expect(clustersOf([{ channel, positions }], [0, 0], { x: 0.49995, y: 0.49995, width: 0.0001, height: 0.0001 }, 18, all)).toHaveLength(2);
    expect(clustersOf([{ channel, positions }], [0, 0], view, 10, { ...all, found: new Set([7]) })[0]).toMatchObject({ count: 1, worst: "normal" });
  });
  it("has a symbol for each icon that a kind names, all in one picture", () => {
    const wanted = readdirSync(join(import.meta.dirname, "../../src/vigie"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith("kinds.py"))
      .flatMap((path) => [...readFileSync(join(import.meta.dirname, "../../src/vigie", path), "utf8").matchAll(/icon="(\w+)"/g)].map(([, name]) => name ?? ""));
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((name) => !(name in icons))).toEqual([]);
    expect(Math.max(...wanted.map(iconIndex))).toBeLessThan(atlas.columns * atlas.rows);
    expect(iconIndex("of a newer release")).toBe(iconIndex("dot"));
  });
  it("grows its dots with the zoom", () => {
    const sizes = [5, 9, 10, 13, 16, 19, 22].map((zoom) => radiusAt(zoom));
    expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
    expect(signRadiusAt(17)).toBeGreaterThan(radiusAt(17));
  });
  it("projects like everyone", () => {
    expect([mercatorX(0), mercatorX(180), mercatorY(0)]).toEqual([0.5, 1, 0.5]);
    expect(mercatorY(85.0511287798)).toBeCloseTo(0, 9);
    expect([longitudeOf(mercatorX(5.04)), latitudeOf(mercatorY(47.32))].map((degrees) => degrees.toFixed(9))).toEqual(["5.040000000", "47.320000000"]);
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
    desk.retry([7], { verb: "set_dimming_level", params: { level: 40 }, reason: "again" });
    expect([...useDesk.getState().selection]).toEqual([7]);
    desk.closePanel({ kind: "selection" });
    expect(useDesk.getState().selection.size).toBe(0);
  });
});
