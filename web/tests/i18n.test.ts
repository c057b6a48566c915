import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import enCodes from "../src/shared/i18n/en/codes.json";
import enScreens from "../src/shared/i18n/en/screens.json";
import frCodes from "../src/shared/i18n/fr/codes.json";
import frScreens from "../src/shared/i18n/fr/screens.json";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") out.set(prefix + key, value);
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) out.set(inner, text);
  }
  return out;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [readFileSync(path, "utf8")] : [];
  });
}

/** The words that rooms bring, each in its own folder. */
function ofRooms(language: string): Map<string, string> {
  const folder = join(import.meta.dirname, "../src/rooms");
  return new Map(readdirSync(folder).flatMap((room) => {
    const file = join(folder, room, "words", `${language}.json`);
    return existsSync(file) ? [...flat(JSON.parse(readFileSync(file, "utf8")) as Tree)] : [];
  }));
}

const fr = new Map([...flat({ ...frScreens, ...frCodes }), ...ofRooms("fr")]);
const en = new Map([...flat({ ...enScreens, ...enCodes }), ...ofRooms("en")]);
const code = sources(join(import.meta.dirname, "../src")).join("\n");
const stem = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, "");
const stems = new Set([...fr.keys()].map(stem));
const literals = new Set([...code.matchAll(/["'`]([a-zA-Z]+(?:\.[a-zA-Z0-9_]+)+)["'`]/g)].map(([, key]) => key ?? ""));
/** Words for codes that the server names and no desk shows yet; a group leaves the list with the first `word("<group>", …)`. */
const awaited = ["places.closureState", "places.direction", "places.profile", "roadReason"];
/** Keys made of a fixed beginning and a value: t(`desk.${name}`), word("problem", …). */
const prefixes = [
  ...[...code.matchAll(/\bt\(`([a-zA-Z.]+\.)\$\{/g)].map(([, prefix]) => prefix ?? ""),
  ...[...code.matchAll(/\bword\("([a-zA-Z]+)"/g)].map(([, group]) => `${group ?? ""}.`),
  ...awaited.map((group) => `${group}.`),
];

describe("the catalogues", () => {
  it("have the same keys", () => {
    expect([...en.keys()].sort()).toEqual([...fr.keys()].sort());
  });

  it("say something for every key, with the same parameters", () => {
    const parameters = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();
    for (const [key, text] of fr) {
      expect(text.trim(), key).not.toBe("");
      expect(en.get(key)?.trim(), key).not.toBe("");
      if (!/_(one|other)$/.test(key)) expect(parameters(en.get(key) ?? ""), key).toEqual(parameters(text));
    }
  });

  it("have a plural for each singular", () => {
    for (const key of fr.keys()) {
      if (key.endsWith("_one")) expect(fr.has(`${stem(key)}_other`), key).toBe(true);
    }
  });

  it("hold every key that the screens use", () => {
    const used = [...code.matchAll(/\bt\(\s*["']([a-zA-Z0-9_.]+)["']/g)].map(([, key]) => key ?? "");
    const chosen = [...code.matchAll(/\bt\([^()`]*?\?\s*"([\w.]+)"\s*:\s*"([\w.]+)"/g)].flatMap(([, a, b]) => [a ?? "", b ?? ""]);
    expect([...used, ...chosen].filter((key) => !stems.has(key))).toEqual([]);
  });

  it("hold no key that nobody uses", () => {
    const unused = [...stems].filter((key) => !literals.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)));
    expect(unused).toEqual([]);
  });

  it("await no group that a screen shows already", () => {
    expect(awaited.filter((group) => code.includes(`word("${group}"`))).toEqual([]);
  });

  it("leave no sentence in the code", () => {
    const attributes = [...code.matchAll(/\b(?:aria-label|placeholder|title|label)="([^"]*[a-zA-Z]{3,}[^"]*)"/g)].map(([, text]) => text);
    const texts = [...code.matchAll(/>\s*([A-ZÀ-Ü][a-zà-ü]{2,}(?: [a-zà-ü’']+)+)\s*</g)].map(([, text]) => text);
    expect([...attributes, ...texts]).toEqual([]);
  });
});
