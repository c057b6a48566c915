import { describe, expect, it } from "vitest";
import { visible } from "../src/shared/visible";

describe("what somebody wrote freely", () => {
  it("stays as it is when all of it can be seen", () => {
    expect(visible("Fête de la musique — place d’Armes 🎶")).toBe("Fête de la musique — place d’Armes 🎶");
  });

  it("shows a hidden character by its number, and is one line", () => {
    expect(visible("pay\u202Etxt\u200B\u0007")).toBe("pay⟨U+202E⟩txt⟨U+200B⟩⟨U+0007⟩");
    expect(visible("\u3164\u2800\u{E0041}")).toBe("⟨U+3164⟩⟨U+2800⟩⟨U+E0041⟩");
    expect(visible("two\nlines")).toBe("two lines");
  });
});
