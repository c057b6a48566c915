import { Button, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Refusal } from "../../../console/session/Refusal";
import { focusTopPanel } from "../../../console/shell/focus";
import { type Draft, useDesk } from "../../../console/state/desk";
import { lights, pictureTime, useLiveStatus, useNow } from "../../../console/state/live";
import { useFormat, usePromise } from "../../../console/state/server";
import type { Asset, CommandSpec, KindSpec } from "../../../shared/api/types";
import { explain } from "../../../shared/i18n/words";
import { flag } from "../../../shared/live/protocol";
import { useForgetOffline } from "../../../shared/live/useForgetOffline";
import { type Levels, keep } from "../../control/before";
import { postCommand } from "../../control/calls";
import { keepReason, previewOf, usualReasons } from "../../control/preview";
import { demandWord, orderWord, paramsWord, valueWord } from "../kindWords";
import { OrderFields } from "./OrderFields";
import { beginning, complete } from "./params";
import classes from "./orders.module.css";

interface Props {
  command: CommandSpec;
  /** Any of the kinds that know it: whose words are used. */
  kind: KindSpec;
  assets: readonly number[];
  /** The one that the order is for: the form begins with what it shows. */
  asset?: Asset | undefined;
  draft: Draft | null;
}

/** What such equipment reports is not what anyone chose. */
const broken = flag.lamp | flag.supply;

/** The point that shows the one value that the order sets. */
const pointOf = (command: CommandSpec): string | undefined => (command.params.length === 1 ? Object.values(command.shows)[0] : undefined);

/** What the equipment shows now of what the order sets, and how many may not answer. */
function useEffectOf(command: CommandSpec, kind: KindSpec, assets: readonly number[]): string {
  const { t } = useTranslation();
  const format = useFormat();
  const promise = usePromise();
  useNow();
  const point = pointOf(command);
  const spec = kind.metrics.find(({ name }) => name === point);
  const { levels, more, mute } = previewOf(lights, assets, Math.floor(pictureTime()), (name) => lights.promiseOf(name, promise), point);
  return [
    ...(spec ? levels.map((part) => t("command.effectPart", { n: format.number(part.n), level: valueWord(kind.name, spec, part.level, format) })) : []),
    ...(spec && more > 0 ? [t("command.effectMore", { n: format.number(more) })] : []),
    ...(mute > 0 ? [t("command.effectMute", { count: mute, n: format.number(mute) })] : []),
  ].join(" · ");
}

/** What the equipment showed before, of the one number that the order sets: what the way back needs. */
function before(command: CommandSpec, assets: readonly number[]): Levels {
  const levels = new Map<number, number>();
  const point = pointOf(command);
  if (point === undefined) return levels;
  for (const id of assets) {
    const light = lights.get(id);
    const value = light?.values[point];
    if (light && !(light.flags & broken) && value !== undefined && !Number.isNaN(value)) levels.set(id, value);
  }
  return levels;
}

/** An order, built from its declaration, to one piece of equipment or to many. The button says what will happen, to how many. */
export function OrderForm({ command, kind, assets, asset, draft }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [values, setValues] = useState(() => beginning(command, kind, asset, draft?.params));
  const [reason, setReason] = useState(draft?.reason ?? "");
  /** The same order keeps its key, so that sending it again after a lost answer has no double effect. */
  const order = useRef<{ text: string; key: string; before: Levels }>({ text: "", key: "", before: new Map() });

  const send = useMutation({
    mutationFn: async () => {
      const params = Object.fromEntries(command.params.map(({ name }) => [name, values[name] ?? ""]));
      const body = { verb: command.verb, params, assets: [...assets], reason: reason.trim() };
      const text = JSON.stringify(body);
      if (order.current.text !== text) order.current = { text, key: crypto.randomUUID(), before: before(command, assets) };
      const sent = await postCommand(body, order.current.key);
      keep(sent.id, order.current.before);
      return sent;
    },
    onSuccess: (sent) => {
      order.current = { text: "", key: "", before: new Map() };
      client.setQueryData(["command", sent.id], sent);
      void client.invalidateQueries({ queryKey: ["commands"] });
      useDesk.getState().openPanel({ kind: "command", id: sent.id });
      keepReason(reason.trim());
      setReason("");
      focusTopPanel();
    },
  });
  const { live } = useLiveStatus();
  useForgetOffline(send.error, send.reset);
  const effect = useEffectOf(command, kind, assets);
  const usual = usualReasons([t("command.usual1"), t("command.usual2"), t("command.usual3")]);
  const ready = live && reason.trim().length > 0 && assets.length > 0 && complete(command, values);
  const said = paramsWord(kind, command, values, format);

  return (
    <form
      aria-label={orderWord(command.verb)} data-testid={`order-${command.verb}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !send.isPending) send.mutate();
      }}
    >
      <Stack gap={10}>
        <OrderFields kind={kind.name} command={command} values={values} onChange={setValues} />
        <TextInput
          aria-label={t("command.reason")} placeholder={t("command.reasonPlaceholder")} data-testid="reason-input" maxLength={500} required
          value={reason} onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={classes["usual"]} role="group" aria-label={t("command.usual")}>
          {usual.map((text) => <UnstyledButton key={text} title={text} onClick={() => setReason(text)}>{text}</UnstyledButton>)}
        </div>
        {effect && <p className={classes["demand"]} data-testid="command-effect">{t("command.effect", { levels: effect })}</p>}
        {!live && <p className={classes["demand"]} role="status">{t("frame.notLive")}</p>}
        {command.demands !== "reason" && <p className={classes["demand"]}>{demandWord(command.demands)}</p>}
        {send.isError && <Refusal>{explain(send.error)}</Refusal>}
        <Button type="submit" disabled={!ready} loading={send.isPending} data-testid="command-submit" fullWidth>
          {[
            said === "" ? orderWord(command.verb) : t("order.to", { order: orderWord(command.verb), values: said }),
            assets.length > 1 && t("order.many", { count: assets.length, n: format.number(assets.length) }),
          ].filter(Boolean).join(" · ")}
        </Button>
      </Stack>
    </form>
  );
}
