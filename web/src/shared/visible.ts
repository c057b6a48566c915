/** Control, direction and format characters, and what is drawn as nothing: as the server refuses in names. */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/**
 * A text that somebody wrote freely, on one line and with all that it holds: a hidden character by
 * its number. A right-to-left override in a reason must not turn the words around it.
 */
export function visible(text: string): string {
  return text
    .replace(/[\t\n\r]/g, " ")
    .replace(hidden, (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
