import { Button, Kbd, Textarea, Tooltip, UnstyledButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../shared/api/errors";
import { explain } from "../../shared/i18n/words";
import { useForgetOffline } from "../../shared/live/useForgetOffline";
import { Refusal } from "../session/Refusal";
import { useCan } from "../session/session";
import { useLiveStatus } from "../state/live";
import classes from "./VerbButton.module.css";
import { inDialogue } from "./dialogue";
import { goKeys, plainKey, typing } from "./keys";
import { ActKey, hindrance } from "./verb";

export interface Act {
  reason: string;
  /** Send as `Idempotency-Key`, where the route takes one. */
  key: string;
}

interface Props {
  /** What will happen, to how many: "Annuler pour 12 luminaires". */
  label: string;
  permission: string;
  run: (act: Act) => Promise<unknown>;
  onDone?: () => void;
  /** What the act asks for before it is done. */
  demands?: { reason?: boolean; confirm?: string };
  /** The usual reasons, one press each. */
  reasons?: readonly string[];
  /** Why not now, as the server or the object's state has it. */
  refused?: string | null;
  needsLive?: boolean;
  primary?: boolean;
  /** One letter; shown at the end of the label, and only while it works. */
  hotkey?: string;
  /** Says of the outcome: "Annulée". */
  done?: string;
  testId?: string;
}

/** An act. It promises nothing: it is under way until the server has answered, and then it says what the server said. */
export function VerbButton(props: Props) {
  const { label, permission, run, onDone, demands, reasons = [], refused = null, needsLive = true, primary = false, hotkey, done, testId } = props;
  const { t } = useTranslation();
  const can = useCan();
  const { live } = useLiveStatus();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [wait, setWait] = useState(0);
  const button = useRef<HTMLButtonElement>(null);
  const keys = useRef<ActKey>(null);
  const why = useId();

  const act = useMutation({
    mutationFn: () => {
      keys.current ??= new ActKey();
      const given = reason.trim();
      return run({ reason: given, key: keys.current.for([label, given]) });
    },
    onSuccess: () => {
      keys.current?.done();
      setAsking(false);
      setReason("");
      onDone?.();
      requestAnimationFrame(() => button.current?.focus());
    },
    onError: (error) => setWait(error instanceof ApiError ? (error.retryAfter ?? 0) : 0),
  });
  useForgetOffline(act.error, act.reset);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1_000);
    return () => clearTimeout(timer);
  }, [wait]);

  const against = hindrance({ permitted: can(permission), live, needsLive, refused, wait });
  const words = against === null ? null
    : against.why === "permission" ? t("frame.notPermitted")
    : against.why === "live" ? t("frame.notLive")
    : against.why === "wait" ? t("frame.wait", { seconds: against.seconds })
    : against.words;
  const asks = demands?.reason === true || demands?.confirm !== undefined;
  const enabled = against === null && !act.isPending;
  const press = () => {
    if (!enabled) return;
    if (asks) setAsking(true);
    else act.mutate();
  };
  const latest = useRef(press);
  useEffect(() => {
    latest.current = press;
  });
  useEffect(() => {
    if (hotkey === undefined || !enabled || asking) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== hotkey || !plainKey(event) || typing(event.target) || inDialogue() || goKeys.pending(event.timeStamp)) return;
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [hotkey, enabled, asking]);

  const leave = () => {
    setAsking(false);
    act.reset();
    requestAnimationFrame(() => button.current?.focus());
  };
  const ready = enabled && (demands?.reason !== true || reason.trim() !== "");
  const failure = act.isError && <Refusal>{explain(act.error)}</Refusal>;

  if (asking) {
    return (
      <form
        className={classes["form"]} aria-label={label} data-testid={testId && `${testId}-form`}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) act.mutate();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          event.stopPropagation();
          leave();
        }}
      >
        {demands?.confirm !== undefined && <p className={classes["ask"]}>{demands.confirm}</p>}
        {demands?.reason === true && (
          <>
            <Textarea
              autosize minRows={1} maxRows={4} autoFocus aria-label={t("frame.reason")} placeholder={t("frame.reason")} maxLength={500} value={reason}
              data-testid={testId && `${testId}-reason`} onChange={(event) => setReason(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" || event.shiftKey) return;
                event.preventDefault();
                if (ready) act.mutate();
              }}
            />
            {reasons.length > 0 && (
              <div className={classes["reasons"]}>
                {reasons.map((usual) => <UnstyledButton key={usual} className={classes["usual"]} onClick={() => setReason(usual)}>{usual}</UnstyledButton>)}
              </div>
            )}
          </>
        )}
        {failure}
        {words !== null && <p id={why} className={classes["why"]}>{words}</p>}
        <div className={classes["buttons"]}>
          <Button type="submit" size="xs" disabled={!ready && !act.isPending} loading={act.isPending} autoFocus={demands?.reason !== true} data-testid={testId && `${testId}-submit`}>{label}</Button>
          <Button size="xs" variant="subtle" color="gray" onClick={leave}>{t("frame.leave")}</Button>
        </div>
      </form>
    );
  }
  const plain = (
    <Button
      ref={button} size="xs" h={32} variant={primary && against === null ? "filled" : "default"} className={classes["verb"] ?? ""} data-refused={against !== null || undefined}
      aria-disabled={!enabled || undefined} aria-describedby={words !== null ? why : undefined} aria-keyshortcuts={hotkey} loading={act.isPending}
      leftSection={against !== null ? <Lock size={13} aria-hidden /> : undefined} data-testid={testId}
      rightSection={hotkey !== undefined && enabled ? <Kbd size="xs" aria-hidden>{hotkey.toUpperCase()}</Kbd> : undefined} onClick={press}
    >
      {label}{asks && "…"}
    </Button>
  );
  return (
    <div className={classes["place"]} data-failed={act.isError || undefined}>
      {words === null ? plain : <Tooltip label={words}>{plain}</Tooltip>}
      {words !== null && <span id={why} className="sr-only">{words}</span>}
      <span className={classes["done"]} role="status">{act.isSuccess && done}</span>
      {failure}
    </div>
  );
}
