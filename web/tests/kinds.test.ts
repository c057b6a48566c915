import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import frAccess from "../src/rooms/access_points/words/fr.json";
import frBuildings from "../src/rooms/buildings/words/fr.json";
import frMobility from "../src/rooms/mobility/words/fr.json";
import frTwin from "../src/rooms/twin/words/fr.json";
import { choiceWord, commandTitle, conditionWord, measure, pointWord, valueWord } from "../src/rooms/twin/kindWords";
import { beginning, complete, isSlid, ordersOf } from "../src/rooms/twin/orders/params";
import { firstPoint, rowsOf } from "../src/rooms/twin/state";
import type { Asset, CommandSpec, KindSpec, MetricSpec, ParameterSpec } from "../src/shared/api/types";
import { makeFormat } from "../src/shared/i18n/format";
import { isSilent } from "../src/shared/live/condition";
import type { Light } from "../src/shared/live/store";

const format = makeFormat("fr", "Europe/Paris");
const metric = (name: string, more: Partial<MetricSpec> = {}): MetricSpec => ({
  name, unit: "1", min: 0, max: 1, kind: "number", promise_s: 180, abnormal: [], words: [], counter: false, ...more,
});
const param = (name: string, more: Partial<ParameterSpec> = {}): ParameterSpec => ({ name, kind: "number", unit: "1", min: 0, max: 1, words: [], ...more });
const order = (verb: string, more: Partial<CommandSpec> = {}): CommandSpec => ({ verb, params: [], function: verb, demands: "reason", shows: {}, sets: {}, urgent: false, ...more });
const barrier = metric("barrier", { kind: "choice", max: 3, words: ["raised", "lowered", "moving", "blocked"], abnormal: [3], promise_s: null });
const setMode = order("set_mode", { params: [param("mode", { kind: "choice", max: 2, words: ["automatic", "forced_open"] })], shows: { mode: "mode" } });
const bollard = {
  name: "RetractableBollard", trade: "access_points", icon: "bollard", draws: ["barrier"], marks: ["supplyLoss"],
  metrics: [barrier, metric("mode", { kind: "choice", max: 1, words: ["automatic", "forced_open"] }), metric("supplyLoss", { kind: "flag", abnormal: [1] })],
  commands: [order("lower"), setMode],
} as unknown as KindSpec;

beforeAll(async () => {
  const together: Record<string, Record<string, string>> = {};
  for (const part of [frTwin, frAccess, frMobility, frBuildings] as Record<string, Record<string, string>>[]) {
    for (const [group, words] of Object.entries(part)) together[group] = { ...together[group], ...words };
  }
  await i18next.init({ lng: "fr", resources: { fr: { translation: { ...together, asset: { yes: "oui", no: "non" }, condition: { fault: "Défaut de l’appareil" } } } }, interpolation: { escapeValue: false } });
});

describe("words of a kind", () => {
  it("are its own where it has some, and those of all otherwise", () => {
    expect(pointWord("Bus", "occupancy")).toBe("Affluence");
    expect(pointWord("Building", "occupancy")).toBe("Occupation");
    expect(pointWord("RetractableBollard", "supplyLoss")).toBe("Alimentation coupée");
    expect(choiceWord("Bus", "service", "in_service")).toBe("en ligne");
    expect(choiceWord("AlarmZone", "service", "in_service")).toBe("en service");
    expect(choiceWord("Bus", "service", "unheard_of")).toBe("unheard_of");
  });

  it("say a choice by its word, a flag by yes or no, what a kind marks by its point", () => {
    expect(valueWord("RetractableBollard", barrier, 3, format)).toBe("bloquée");
    expect(valueWord("RetractableBollard", metric("presence", { kind: "flag" }), 1, format)).toBe("oui");
    expect(conditionWord(bollard, "lamp")).toBe("Alimentation coupée");
    expect(conditionWord(bollard, "fault")).toBe("Défaut de l’appareil");
  });

  it("give numbers the digits that can be seen", () => {
    const said = (value: number, unit: string, name = "x") => measure(value, name, unit, format).replaceAll(/[\u00a0\u202f]/g, " ");
    expect([said(0.8234, "1"), said(12.34, "°C"), said(8_612, "W"), said(143.6, "kWh"), said(50, "%"), said(3, "1")]).toEqual(["0,823", "12,3 °C", "8,61 kW", "144 kWh", "50 %", "3"]);
    expect([said(900, "veh/h"), said(-240, "s"), said(5.041234, "°", "longitude"), said(92, "°")]).toEqual(["900 véh/h", "−4 min", "5,04123°", "92°"]);
  });

  it("name a command by what it asks, of how many", () => {
    expect(commandTitle([bollard], { verb: "lower", params: {}, total: 3 }, format)).toBe("Abaisser la borne · 3 équipements");
    expect(commandTitle([bollard], { verb: "set_mode", params: { mode: "forced_open" }, total: 1 }, format)).toBe("Changer de mode : forcée abaissée · 1 équipement");
  });
});

describe("the form of an order", () => {
  const asset = (state: Asset["state"], desired: Asset["desired"] = null) => ({ state, desired }) as Asset;
  const shown = (value: number) => ({ value, at: "2026-11-28T12:00:00Z", unit: "1", stale: false });

  it("begins with what was wanted, else what is shown, else what is possible", () => {
    expect(beginning(setMode, bollard, undefined)).toEqual({ mode: "automatic" });
    expect(beginning(setMode, bollard, asset({ mode: shown(1) }))).toEqual({ mode: "forced_open" });
    expect(beginning(setMode, bollard, asset({ mode: shown(1) }, { mode: 0 }))).toEqual({ mode: "automatic" });
    const level = order("set_dimming_level", { params: [param("level", { unit: "%", max: 100 })], shows: { level: "dimmingLevel" } });
    expect(beginning(level, bollard, asset({ dimmingLevel: shown(33.333) }))).toEqual({ level: 33.33 });
    expect(beginning(level, bollard, undefined, { level: 70 })).toEqual({ level: 70 });
  });

  it("is ready when each parameter is what its declaration takes", () => {
    const text = order("send_text", { params: [param("text", { kind: "text", max: 5 })] });
    expect([complete(text, { text: " " }), complete(text, { text: "four" }), complete(text, { text: "too long" })]).toEqual([false, true, false]);
    expect([complete(setMode, { mode: "out_of_service" }), complete(setMode, { mode: "automatic" }), complete(order("lower"), {})]).toEqual([false, true, true]);
    const plan = order("set_plan", { params: [param("plan", { min: 1, max: 255 })] });
    expect([complete(plan, { plan: 0 }), complete(plan, { plan: 12 })]).toEqual([false, true]);
    expect([isSlid(param("plan", { min: 1, max: 255 })), isSlid(param("value", { min: -1e9, max: 1e9 }))]).toEqual([true, false]);
  });

  it("is one for each order that a mixed selection knows", () => {
    const other = { ...bollard, name: "Other", commands: [setMode] };
    expect(ordersOf([bollard, other]).map(({ command, kinds }) => [command.verb, kinds.length])).toEqual([["lower", 1], ["set_mode", 2]]);
  });
});

describe("the state of a piece of equipment", () => {
  const at = Date.parse("2026-11-28T12:00:00Z") / 1000;
  const asset = {
    kind: "RetractableBollard", desired: { mode: 1 },
    state: { barrier: { value: 1, at: "2026-11-28T12:00:00Z", unit: "1", stale: false }, newer: { value: 7, at: null, unit: "bar", stale: true } },
  } as unknown as Asset;
  const light = (value: number, when: number) => ({ at: when, values: { barrier: value } }) as unknown as Light;

  it("has every declared point, told or not, and what the server tells besides", () => {
    const rows = rowsOf(asset, bollard, null);
    expect(rows.map(({ name, value, wanted }) => [name, value, wanted])).toEqual([["barrier", 1, undefined], ["mode", null, 1], ["supplyLoss", null, undefined], ["newer", 7, undefined]]);
    expect(firstPoint(bollard)).toBe("barrier");
  });

  it("takes the live value when it is newer and another, with what is abnormal about it", () => {
    const [moved] = rowsOf(asset, bollard, light(3, at + 5));
    expect([moved?.value, moved?.at, moved?.abnormal]).toEqual([3, at + 5, true]);
    // The same value may be old: the time of a channel's row is that of its newest point.
    expect(rowsOf(asset, bollard, light(1, at + 5))[0]?.at).toBe(at);
    expect(rowsOf(asset, bollard, light(3, at - 5))[0]?.value).toBe(1);
  });

  it("is never silent when only changes are told, but unknown before the first", () => {
    expect([isSilent(at, at + 1e6, null), isSilent(NaN, at, null), isSilent(at, at + 181, 180)]).toEqual([false, true, true]);
  });
});
