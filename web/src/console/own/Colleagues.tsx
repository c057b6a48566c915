import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Eye, Hand } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { explain } from "../../shared/i18n/words";
import { useRows } from "../../shared/live/live";
import { Refusal } from "../session/Refusal";
import { useCan, useSession } from "../session/session";
import { useLiveStatus, useNow } from "../state/live";
import { useFormat } from "../state/server";
import classes from "./Colleagues.module.css";
import { type Hold, type Ref, giveBack, leaveObject, look, take } from "./calls";

const every = 25_000;

/** Those who look at an object besides oneself, and who took it; what was not renewed is over. */
export function others(holds: Iterable<Hold>, { type, id }: Ref, self: string, now: number): Hold[] {
  return [...holds]
    .filter((hold) => hold.type === type && hold.object === id && hold.person !== self && Date.parse(hold.until) > now)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Says that one is here, again and again, while the object is on the screen. */
function useBeat(ref: Ref, active: boolean): void {
  const { type, id } = ref;
  useEffect(() => {
    if (!active) return;
    const say = () => {
      if (document.visibilityState === "visible") look({ type, id }).catch(() => undefined);
    };
    say();
    const timer = setInterval(say, every);
    return () => {
      clearInterval(timer);
      leaveObject({ type, id }).catch(() => undefined);
    };
  }, [type, id, active]);
}

/** Keeps two of fifty from acting twice: who else is here, who took it, and *Prendre*. */
export function Colleagues({ type, id }: Ref) {
  const { t } = useTranslation();
  const format = useFormat();
  const can = useCan();
  const { user } = useSession();
  const { live } = useLiveStatus();
  const now = useNow();
  const presence = useRows("desk.presence");
  const locks = useRows("desk.locks");
  const allowed = can("core.desk");
  useBeat({ type, id }, allowed);
  const held = locks.byId.get(`${type}/${id}`);
  const lock = held && Date.parse(held.until) > now ? held : undefined;
  const mine = lock?.person === user.id;
  const act = useMutation({ mutationFn: (what: "take" | "over" | "release") => (what === "release" ? giveBack({ type, id }) : take({ type, id }, what === "over")) });
  if (!allowed) return null;
  const here = others(presence.list, { type, id }, user.id, now).map(({ name }) => name);
  const what = mine ? "release" : lock ? "over" : "take";
  const label = t(mine ? "own.release" : lock ? "own.takeOver" : "own.take");
  return (
    <div className={classes["row"]} data-testid="colleagues">
      {lock && <span className={classes["lock"]} data-mine={mine || undefined}><Hand size={14} aria-hidden />{mine ? t("own.takenByMe", { time: format.clock(Date.parse(lock.since)) }) : t("own.takenBy", { name: lock.name, time: format.clock(Date.parse(lock.since)) })}</span>}
      {here.length > 0 && <span className={classes["here"]} data-testid="colleagues-here"><Eye size={14} aria-hidden />{t("own.here", { count: here.length, names: here.slice(0, 3).join(", ") })}</span>}
      <Button
        size="compact-xs" variant="default" loading={act.isPending} disabled={!live} title={live ? undefined : t("frame.notLive")} data-testid="take-object"
        onClick={() => act.mutate(what)}
      >
        {label}
      </Button>
      {act.isError && <Refusal>{explain(act.error)}</Refusal>}
    </div>
  );
}
