import { Button, NumberInput, Slider, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { postCommand } from "./calls";
import { explain } from "../../shared/i18n/words";
import { useForgetOffline } from "../../shared/live/useForgetOffline";
import { flag } from "../../shared/live/protocol";
import { Refusal } from "../../console/session/Refusal";
import { focusTopPanel } from "../../console/shell/focus";
import { useDesk } from "../../console/state/desk";
import { lights, pictureTime, useLiveStatus, useNow } from "../../console/state/live";
import { useFormat, usePromise } from "../../console/state/server";
import { type Levels, keep } from "./before";
import { keepReason, previewOf, usualReasons } from "./preview";
import classes from "./command.module.css";

interface Props {
  assets: readonly number[];
  initialLevel: number;
  initialReason?: string;
}

const marks = [0, 25, 50, 75, 100].map((value) => ({ value }));

/** What such a light reports is not a level that anyone chose. */
const broken = flag.lamp | flag.supply;

function levelsOf(assets: readonly number[]): Levels {
  const levels = new Map<number, number>();
  for (const id of assets) {
    const light = lights.get(id);
    if (light && !(light.flags & broken) && !Number.isNaN(light.level)) levels.set(id, light.level);
  }
  return levels;
}

/** Sets the level of one light or of many. The button says what will happen, to how many. */
export function CommandForm({ assets, initialLevel, initialReason = "" }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [level, setLevel] = useState(Math.round(initialLevel));
  const [reason, setReason] = useState(initialReason);
  /** The same order keeps its key, so that sending it again after a lost answer has no double effect. */
  const order = useRef<{ text: string; key: string; before: Levels }>({ text: "", key: "", before: new Map() });

  const send = useMutation({
    mutationFn: async () => {
      const body = { verb: "set_dimming_level" as const, params: { level }, assets: [...assets], reason: reason.trim() };
      const text = JSON.stringify(body);
      if (order.current.text !== text) order.current = { text, key: crypto.randomUUID(), before: levelsOf(assets) };
      const { key, before } = order.current;
      const command = await postCommand(body, key);
      keep(command.id, before);
      return command;
    },
    onSuccess: (command) => {
      order.current = { text: "", key: "", before: new Map() };
      client.setQueryData(["command", command.id], command);
      void client.invalidateQueries({ queryKey: ["commands"] });
      useDesk.getState().openPanel({ kind: "command", id: command.id });
      keepReason(reason.trim());
      setReason("");
      focusTopPanel();
    },
  });
  const { live } = useLiveStatus();
  useForgetOffline(send.error, send.reset);
  const promise = usePromise();
  useNow();
  const { levels, more, mute } = previewOf(lights, assets, Math.floor(pictureTime()), promise);
  const effect = [
    ...levels.map((part) => t("command.effectPart", { n: format.number(part.n), level: format.percent(part.level) })),
    ...(more > 0 ? [t("command.effectMore", { n: format.number(more) })] : []),
    ...(mute > 0 ? [t("command.effectMute", { count: mute, n: format.number(mute) })] : []),
  ].join(" · ");
  const usual = usualReasons([t("command.usual1"), t("command.usual2"), t("command.usual3")]);
  const ready = live && reason.trim().length > 0 && assets.length > 0;

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !send.isPending) send.mutate();
      }}
    >
      <Stack gap={10}>
        <div className={classes["level"]}>
          <Slider
            className={classes["slider"] ?? ""} min={0} max={100} step={1} value={level} onChange={setLevel} label={null} marks={marks}
            thumbLabel={t("command.level")} color="gray.5" size={6}
          />
          <NumberInput
            className={classes["number"] ?? ""} aria-label={t("command.level")} data-testid="level-input" min={0} max={100} step={5} allowDecimal={false}
            clampBehavior="strict" suffix={format.percentSign} value={level} onChange={(value) => typeof value === "number" && setLevel(value)}
          />
        </div>
        <TextInput
          aria-label={t("command.reason")} placeholder={t("command.reasonPlaceholder")} data-testid="reason-input" maxLength={500} required
          value={reason} onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={classes["usual"]} role="group" aria-label={t("command.usual")}>
          {usual.map((text) => <UnstyledButton key={text} title={text} onClick={() => setReason(text)}>{text}</UnstyledButton>)}
        </div>
        {effect && <p className={classes["note"]} data-testid="command-effect">{t("command.effect", { levels: effect })}</p>}
        {!live && <p className={classes["note"]} role="status">{t("frame.notLive")}</p>}
        {send.isError && <Refusal>{explain(send.error)}</Refusal>}
        <Button type="submit" disabled={!ready} loading={send.isPending} data-testid="command-submit" fullWidth>
          {t("command.set", { count: assets.length, n: format.number(assets.length), level: format.percent(level) })}
        </Button>
      </Stack>
    </form>
  );
}
