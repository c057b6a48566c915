import { Button, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Refusal } from "../../../console/session/Refusal";
import { focusTopPanel } from "../../../console/shell/focus";
import { useDesk } from "../../../console/state/desk";
import { lights } from "../../../console/state/live";
import { useFormat } from "../../../console/state/server";
import type { Asset, CommandSpec, KindSpec } from "../../../shared/api/types";
import { explain } from "../../../shared/i18n/words";
import { flag } from "../../../shared/live/protocol";
import { type Levels, keep } from "../../control/before";
import { postCommand } from "../../control/calls";
import { demandWord, orderWord, paramsWord } from "../kindWords";
import { OrderFields } from "./OrderFields";
import { type Values, beginning, complete } from "./params";
import classes from "./orders.module.css";

interface Props {
  command: CommandSpec;
  /** Any of the kinds that know it: whose words are used. */
  kind: KindSpec;
  assets: readonly number[];
  /** The one that the order is for: the form begins with what it shows. */
  asset?: Asset | undefined;
  initial?: Values | undefined;
  initialReason?: string | undefined;
}

/** What such equipment reports is not what anyone chose. */
const broken = flag.lamp | flag.supply;

/** What the equipment showed before, of the one number that the order sets: what the way back needs. */
function before(command: CommandSpec, assets: readonly number[]): Levels {
  const levels = new Map<number, number>();
  const point = command.params.length === 1 ? Object.values(command.shows)[0] : undefined;
  if (point === undefined) return levels;
  for (const id of assets) {
    const light = lights.get(id);
    const value = light?.values[point];
    if (light && !(light.flags & broken) && value !== undefined && !Number.isNaN(value)) levels.set(id, value);
  }
  return levels;
}

/** An order, built from its declaration, to one piece of equipment or to many. The button says what will happen, to how many. */
export function OrderForm({ command, kind, assets, asset, initial, initialReason = "" }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [values, setValues] = useState(() => beginning(command, kind, asset, initial));
  const [reason, setReason] = useState(initialReason);
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
      setReason("");
      focusTopPanel();
    },
  });
  const ready = reason.trim().length > 0 && assets.length > 0 && complete(command, values);
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
