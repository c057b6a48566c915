import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { VerbButton } from "../../console/frame";
import { useFormat } from "../../console/state/server";
import type { Command } from "../../shared/api/types";
import { cancelCommand } from "./calls";
import { underWay } from "./progress";

/** Takes back what has not been answered yet. */
export function CancelVerb({ command, hotkey }: { command: Command; hotkey?: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const open = underWay(command);
  if (open === 0) return null;
  return (
    <VerbButton
      label={t("command.cancelOpen", { count: open, n: format.number(open) })} permission="control.cancel" demands={{ reason: true }} needsLive={false}
      testId="command-cancel" {...(hotkey ? { hotkey } : {})}
      run={async ({ reason }) => {
        await cancelCommand(command.id, reason);
        await client.invalidateQueries({ queryKey: ["command", command.id] });
        await client.invalidateQueries({ queryKey: ["commands"] });
      }}
    />
  );
}
