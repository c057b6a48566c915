import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { cancelCommand, getCommand } from "../../shared/api/calls";
import type { Command } from "../../shared/api/types";
import { explain } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import { Refusal } from "../session/Refusal";
import { useCan } from "../session/session";
import { Panel } from "../shell/Panel";
import { useDesk } from "../state/desk";
import { useFormat } from "../state/server";
import { CommandProgress } from "./CommandProgress";
import { NotConfirmed } from "./NotConfirmed";
import classes from "./command.module.css";
import { WayBack } from "./WayBack";
import { requester, underWay } from "./progress";

function Cancel({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const cancel = useMutation({
    mutationFn: () => cancelCommand(command.id, reason.trim()),
    onSettled: () => client.invalidateQueries({ queryKey: ["command", command.id] }),
  });
  const open = underWay(command);
  if (open === 0) return null;
  if (!asking) {
    return <div className={classes["actions"]}><Button size="xs" variant="default" onClick={() => setAsking(true)}>{t("command.cancel")}</Button></div>;
  }
  return (
    <form
      className={classes["actions"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) cancel.mutate();
      }}
    >
      <TextInput
        flex={1} size="xs" autoFocus aria-label={t("command.reason")} placeholder={t("command.cancelReason")} value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" color="orange" disabled={!reason.trim()} loading={cancel.isPending}>
        {t("command.cancelOpen", { count: open, n: format.number(open) })}
      </Button>
      {cancel.isError && <Refusal>{explain(cancel.error)}</Refusal>}
    </form>
  );
}

/** One command, from request to the last answer. */
export function CommandPanel({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const can = useCan();
  const command = useQuery({
    queryKey: ["command", id],
    queryFn: () => getCommand(id),
    // Events bring progress; asking now and then covers what a broken connection missed.
    refetchInterval: (query) => (query.state.data?.ended_at ? false : 2_000),
  });
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
          {can("cancel") && <Cancel command={data} />}
          {can("command") && <WayBack key={id} command={data} />}
          <NotConfirmed command={data} />
        </>
      ) : command.isError ? <Failed error={command.error} retry={() => void command.refetch()} /> : <Loading />}
    </Panel>
  );
}
