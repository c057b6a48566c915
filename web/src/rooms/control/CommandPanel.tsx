import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { useCan } from "../../console/session/session";
import { Panel } from "../../console/shell/Panel";
import { useDesk } from "../../console/state/desk";
import { kindsQuery, useFormat } from "../../console/state/server";
import { commandTitle } from "../twin/kindWords";
import { CancelVerb } from "./CancelVerb";
import { CommandProgress } from "./CommandProgress";
import { NotConfirmed } from "./NotConfirmed";
import classes from "./command.module.css";
import { WayBack } from "./WayBack";
import { requester } from "./progress";
import { useCommand } from "./useCommand";

/** One command, from request to the last answer. */
export default function CommandPanel({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const can = useCan();
  const command = useCommand(id);
  const data = command.data;
  const kinds = useQuery(kindsQuery).data ?? [];
  const lamps = data?.verb === "set_dimming_level";
  return (
    <Panel
      testId="command-panel" title={data ? (lamps ? t("command.title", { count: data.total, n: format.number(data.total), level: format.percent(data.params["level"] ?? 0) }) : commandTitle(kinds, data, format)) : t("command.loading")}
      subtitle={data && t("command.by", { name: requester(data), time: format.dateTime(data.requested_at) })}
      onClose={() => useDesk.getState().closePanel({ kind: "command", id })}
    >
      {data ? (
        <>
          <CommandProgress command={data} />
          {data.reason && <p className={classes["fact"]}><q>{visible(data.reason)}</q></p>}
          <div className={classes["actions"]}><CancelVerb command={data} /></div>
          {can("control.command") && lamps && <WayBack key={id} command={data} />}
          <NotConfirmed command={data} />
        </>
      ) : command.isError ? <Failed error={command.error} retry={() => void command.refetch()} /> : <Loading />}
    </Panel>
  );
}
