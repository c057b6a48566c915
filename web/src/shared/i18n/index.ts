/** The two complete catalogues, and the language that the person chose. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Language } from "../api/types";
import enCodes from "./en/codes.json";
import enScreens from "./en/screens.json";
import frCodes from "./fr/codes.json";
import frScreens from "./fr/screens.json";
import { en as enRooms, fr as frRooms, type RoomWords } from "./rooms";

type Words = typeof frScreens & typeof frCodes & RoomWords;
type Catalogue = Record<string, Record<string, unknown>>;

/** Words of all rooms in one catalogue: groups that several have (problems, acts …) are put together. */
function together(...parts: readonly object[]): Catalogue {
  const whole: Catalogue = {};
  for (const part of parts as readonly Catalogue[]) {
    for (const [group, words] of Object.entries(part)) whole[group] = { ...whole[group], ...words };
  }
  return whole;
}

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: Words };
    returnNull: false;
  }
}

const remembered = "vigie.language";

function known(language: string | null | undefined): Language | null {
  const short = language?.slice(0, 2);
  return short === "fr" || short === "en" ? short : null;
}

export function initialLanguage(): Language {
  return known(localStorage.getItem(remembered)) ?? known(navigator.language) ?? "fr";
}

export async function setLanguage(language: string): Promise<void> {
  const chosen = known(language) ?? "fr";
  localStorage.setItem(remembered, chosen);
  document.documentElement.lang = chosen;
  await i18next.changeLanguage(chosen);
}

/** The language of the account, unless this browser's user has chosen another here. */
export async function adoptLanguage(language: string): Promise<void> {
  if (!localStorage.getItem(remembered)) await setLanguage(language);
}

export async function startI18n(): Promise<void> {
  const language = initialLanguage();
  document.documentElement.lang = language;
  await i18next.use(initReactI18next).init({
    resources: {
      fr: { translation: together(frScreens, frCodes, ...frRooms) },
      en: { translation: together(enScreens, enCodes, ...enRooms) },
    },
    lng: language,
    fallbackLng: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}
