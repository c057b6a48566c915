import { describe, expect, it } from "vitest";
import { makeFormat } from "../src/shared/i18n/format";

const fr = makeFormat("fr", "Europe/Paris");
const en = makeFormat("en", "Europe/Paris");
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("formats", () => {
  it("write numbers and units by language", () => {
    expect(plain(fr.quantity(1234.56, "W"))).toBe("1 234,6 W");
    expect(en.number(1234.5, 1)).toBe("1,234.5");
    expect(plain(fr.percent(40))).toBe("40 %");
    expect(en.percent(40)).toBe("40%");
    expect([en.quantity(40, "%"), plain(fr.quantity(40, "%"))]).toEqual(["40%", "40 %"]);
    expect(plain(fr.bytes(2 ** 31))).toBe("2 Gio");
    expect(plain(en.bytes(51))).toBe("51 B");
    expect(plain(en.bytes(0))).toBe("0 B");
  });

  it("state an age in the unit that a person would use", () => {
    expect([0.34, 9.4, 12.2, 99.4, 720, 3600 * 5, 86_400 * 4].map((age) => plain(fr.age(age)))).toEqual([
      "0,3 s", "9 s", "12 s", "99 s", "12 min", "5 h", "4 j",
    ]);
    expect(plain(en.age(86_400 * 4))).toBe("4 d");
    expect(plain(en.age(-3))).toBe("0 s");
  });

  it("tell the time of the territory on 24 hours, summer and winter", () => {
    expect(en.clock(Date.UTC(2026, 10, 23, 21, 14))).toBe("22:14");
    expect(fr.clock(Date.UTC(2026, 6, 1, 21, 14))).toBe("23:14");
    expect(fr.clock(Date.UTC(2026, 6, 1, 22, 0))).toBe("00:00");
    expect(fr.dateTime("2026-11-23T21:14:05Z")).toMatch(/23\/11\/2026.22:14:05/);
    expect(fr.day("2014-05-12")).toBe("12/05/2014");
  });
});
