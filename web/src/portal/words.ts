/** The citizens' words: two small catalogues, without the console's. */
import en from "./words/en.json";
import fr from "./words/fr.json";

export type Language = "fr" | "en";
export type Word = keyof typeof fr;
export type Say = (word: Word, values?: Record<string, string | number>) => string;

const catalogues: Record<Language, Record<Word, string>> = { fr, en };
const remembered = "vigie.portal.language";

/** What was chosen here before, else the browser's language, else French. */
export function firstLanguage(): Language {
  const wanted = localStorage.getItem(remembered) ?? navigator.language;
  return wanted.startsWith("en") ? "en" : "fr";
}

export function remember(language: Language): void {
  localStorage.setItem(remembered, language);
}

export function speaker(language: Language): Say {
  return (word, values = {}) => catalogues[language][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
