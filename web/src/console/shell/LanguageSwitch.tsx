import { SegmentedControl } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { setLanguage } from "../../shared/i18n";

const languages = [{ value: "fr", label: "Français" }, { value: "en", label: "English" }];

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <SegmentedControl
      size="xs" aria-label={t("language.label")} data={languages} value={i18n.language}
      onChange={(language) => void setLanguage(language)}
    />
  );
}
