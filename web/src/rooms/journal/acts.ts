/** The parts of the house whose acts can be asked for apart: those whose acts have words. */
import i18next from "i18next";
import { word } from "../../shared/i18n/words";

export function actParts(): { value: string; label: string }[] {
  const acts = (i18next.getResourceBundle(i18next.language, "translation") as { act?: Record<string, string> } | undefined)?.act ?? {};
  const parts = new Set(Object.keys(acts).map((code) => code.split("_")[0] ?? code));
  return [...parts].map((value) => ({ value, label: partWord(value) })).sort((a, b) => a.label.localeCompare(b.label));
}

/** An act or its part, as people say it. */
export function partWord(part: string): string {
  if (i18next.exists(`journalPart.${part}`)) return word("journalPart", part);
  return i18next.exists(`desk.${part}`) ? word("desk", part) : word("act", part);
}
