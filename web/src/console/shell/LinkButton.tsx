import { ActionIcon } from "@mantine/core";
import { Link2, Pin } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useLink } from "../state/bus";

/** Whether this window follows one's other windows. */
export function LinkButton() {
  const { t } = useTranslation();
  const { linked, setLinked } = useLink();
  const label = t(linked ? "windows.unlink" : "windows.link");
  return (
    <ActionIcon variant="subtle" color={linked ? "gray" : "blue"} aria-label={label} title={label} aria-pressed={!linked} data-testid="window-link" onClick={() => setLinked(!linked)}>
      {linked ? <Link2 size={16} /> : <Pin size={16} fill="currentColor" />}
    </ActionIcon>
  );
}
