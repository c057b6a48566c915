import { useTranslation } from "react-i18next";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { useCan } from "../../console/session/session";
import { Panel } from "../../console/shell/Panel";
import { useDesk } from "../../console/state/desk";
import { useFormat } from "../../console/state/server";
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
  const level = data ? format.percent(data.params["level"] ?? 0) : "";
  return (
    <Panel
      testId="command-panel" title={data ? t("command.title", { count: data.total, n: format.number(data.total), level }) : t("command.loading")}
      subtitle={data && t("command.by", { name: requester(data), time: format.dateTime(data.requested_at) })}
      onClose={() => useDesk.getState().closePanel({ kind: "command", id })}
    >
      {data ? (
        <>
          <CommandProgress command={data} />
          {data.reason && <p className={classes["fact"]}><q>{visible(data.reason)}</q></p>}
          <div className={classes["actions"]}><CancelVerb command={data} /></div>
          {can("control.command") && <WayBack key={id} command={data} />}
          <NotConfirmed command={data} />
        </>
      ) : command.isError ? <Failed error={command.error} retry={() => void command.refetch()} /> : <Loading />}
    </Panel>
  );
}
