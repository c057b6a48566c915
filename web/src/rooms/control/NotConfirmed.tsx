import { Button, UnstyledButton } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { getCommandTargets } from "./calls";
import type { Command, CommandState, CommandTarget } from "../../shared/api/types";
import { explain, word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { showLights } from "../../console/map/controller";
import { Refusal } from "../../console/session/Refusal";
import { Section } from "../../console/shell/Panel";
import { focusTopPanel } from "../../console/shell/focus";
import { openAsset, useDesk } from "../../console/state/desk";
import { useFormat } from "../../console/state/server";
import classes from "./command.module.css";
import { countOf, openStates, unconfirmed, unconfirmedEnds, underWay } from "./progress";

/** All that did not confirm, or only where the same command may help: not where an interlock refused. */
async function allTargets(command: Command, retryable = false): Promise<number[]> {
  const ids: number[] = [];
  for (const state of unconfirmedEnds) {
    if (countOf(command.counts, state) === 0) continue;
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof getCommandTargets>> = await getCommandTargets(command.id, state, cursor);
      ids.push(...page.items.filter((target) => !retryable || target.retryable).map(({ asset }) => asset.id));
      cursor = page.next ?? null;
    } while (cursor);
  }
  return ids;
}

function Target({ target }: { target: CommandTarget }) {
  const { t } = useTranslation();
  const format = useFormat();
  const why = target.error ? word("targetError", target.error.code, target.error.params) : t(`commandState.${target.state}`);
  return (
    <li>
      <UnstyledButton className={classes["target"]} onClick={() => openAsset(target.asset.id)} data-testid="not-confirmed" data-asset={target.asset.id} data-state={target.state}>
        <span>{target.asset.name}</span>
        <span className={classes["why"]}>
          {why}
          {target.late && ` · ${t("command.late")}`}
          {target.shown_since && ` · ${t("command.shownSince", { time: format.time(target.shown_since) })}`}
          {target.ended_at && ` · ${format.time(target.ended_at)}`}
        </span>
      </UnstyledButton>
    </li>
  );
}

function TargetsIn({ command, state }: { command: Command; state: CommandState }) {
  const { t } = useTranslation();
  const format = useFormat();
  const targets = useInfiniteQuery({
    queryKey: ["targets", command.id, state],
    queryFn: ({ pageParam }) => getCommandTargets(command.id, state, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const items = targets.data?.pages.flatMap((page) => page.items);
  const count = countOf(command.counts, state);
  return (
    <Section title={`${t(`commandState.${state}`)} · ${format.number(count)}`}>
      {items ? (
        <>
          <ul className={classes["targets"]}>{items.map((target) => <Target key={target.asset.id} target={target} />)}</ul>
          {targets.hasNextPage && (
            <Button variant="subtle" color="gray" size="xs" fullWidth loading={targets.isFetchingNextPage} onClick={() => void targets.fetchNextPage()}>
              {t("action.more")}
            </Button>
          )}
        </>
      ) : targets.isError ? <Failed error={targets.error} retry={() => void targets.refetch()} /> : <Loading rows={3} />}
    </Section>
  );
}

/** Who has not answered yet, by name, and until when they are waited for. */
function Awaited({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (underWay(command) === 0) return null;
  return (
    <div data-testid="awaited">
      <p className={classes["note"]}>{t("command.awaitedUntil", { time: format.time(command.expires_at) })}</p>
      {openStates.filter((state) => countOf(command.counts, state) > 0).map((state) => <TargetsIn key={state} command={command} state={state} />)}
    </div>
  );
}

/** The lights that did not confirm: which, why, and what to do about just them. */
export function NotConfirmed({ command }: { command: Command }) {
  const { t } = useTranslation();
  const format = useFormat();
  const missing = unconfirmed(command.counts);
  const pick = useMutation({
    mutationFn: () => allTargets(command, false),
    onSuccess: (ids) => {
      useDesk.getState().select(ids);
      showLights(ids);
    },
  });
  // How many are left is known once it is known why those were refused.
  const retryable = useQuery({
    queryKey: ["targets", command.id, "retryable", missing], queryFn: () => allTargets(command, true), enabled: countOf(command.counts, "refused") > 0,
  });
  const some = countOf(command.counts, "refused") > 0 ? retryable.data?.length : missing;
  const again = useMutation({
    mutationFn: () => allTargets(command, true),
    onSuccess: (ids) => {
      useDesk.getState().retry(ids, { verb: command.verb, params: command.params, reason: command.reason ?? "" });
      focusTopPanel();
    },
  });
  if (missing === 0) return <Awaited command={command} />;
  return (
    <>
    <Awaited command={command} />
    <div data-testid="not-confirmed-list" data-count={missing}>
      <div className={classes["actions"]}>
        <Button size="xs" variant="default" loading={pick.isPending} onClick={() => pick.mutate()}>
          {t("command.selectMissing", { count: missing, n: format.number(missing) })}
        </Button>
        {some !== undefined && some > 0 && (
          <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate()} data-testid="command-retry" data-count={some}>
            {t("command.retryMissing", { count: some, n: format.number(some) })}
          </Button>
        )}
      </div>
      {some !== undefined && some < missing && <p className={classes["note"]} data-testid="not-again">{t("command.notAgain", { count: missing - some, n: format.number(missing - some) })}</p>}
      {(pick.isError || again.isError) && <Refusal>{explain(pick.error ?? again.error)}</Refusal>}
      {unconfirmedEnds.filter((state) => countOf(command.counts, state) > 0).map((state) => (
        <TargetsIn key={state} command={command} state={state} />
      ))}
    </div>
    </>
  );
}
