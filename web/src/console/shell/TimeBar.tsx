import { Button, Popover, TextInput, UnstyledButton } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { CalendarRange } from "lucide-react";
import { type PointerEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLiveStatus, useNow } from "../state/live";
import { type Range, type RangeName, fromLocal, localHour, toLocal } from "../state/range";
import { useFormat, useTerritory } from "../state/server";
import { spanOf, useTime } from "../state/time";
import classes from "./TimeBar.module.css";
import { TourOffer } from "./TourOffer";

const day = 86_400_000;
const hour = 3_600_000;
const quick = ["yesterday", "night", "day", "week"] as const satisfies readonly RangeName[];
const steps = [1, 2, 3, 6, 12, 24, 48, 168];
const labelWidth = 64;
const least = 60_000;

/** Whole hours of the territory between two instants, as far apart as their labels need. */
export function ticksOf({ from, to }: Range, width: number, zone: string): number[] {
  const hours = (to - from) / hour;
  const step = steps.find((candidate) => (width / hours) * candidate >= labelWidth) ?? 168;
  const ticks: number[] = [];
  for (let at = localHour(from, 0, 0, zone); at <= to; at += step * hour) if (at >= from) ticks.push(at);
  return ticks;
}

/** A day of the past and a stretch of it that is chosen: by a drag, or by the buttons at its end. */
function Strip() {
  const { t } = useTranslation();
  const format = useFormat();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  const now = useNow();
  const { chosen, cursor, choose, point } = useTime();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [drag, setDrag] = useState<Range | null>(null);
  const span = spanOf(chosen, zone, now);
  const whole = { from: Math.min(span.from, now - day), to: now + (now - Math.min(span.from, now - day)) * 0.02 };
  const x = (at: number) => ((at - whole.from) / (whole.to - whole.from)) * width;
  const at = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(now, whole.from + ((event.clientX - box.left) / box.width) * (whole.to - whole.from));
  };
  const marked = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : span;
  return (
    <div
      ref={ref} className={classes["strip"]} role="img" aria-label={t("time.chosen", { span: format.span(span.from, span.to) })} data-testid="time-strip"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: at(event), to: at(event) });
      }}
      onPointerMove={(event) => {
        point(at(event));
        if (drag) setDrag({ ...drag, to: at(event) });
      }}
      onPointerUp={() => {
        if (drag && marked.to - marked.from > least) choose({ name: "custom", ...marked });
        setDrag(null);
      }}
      onPointerLeave={() => point(null)}
    >
      <span className={classes["chosen"]} style={{ left: x(marked.from), width: Math.max(2, x(marked.to) - x(marked.from)) }} />
      {width > 0 && ticksOf(whole, width, zone).map((tick) => (
        <span key={tick} className={classes["tick"]} style={{ left: x(tick) }}>{whole.to - whole.from > 2.5 * day ? format.dayOf(tick) : format.clock(tick)}</span>
      ))}
      {cursor !== null && cursor >= whole.from && <span className={classes["cursor"]} style={{ left: x(cursor) }}><span>{format.clock(cursor)}</span></span>}
      <span className={classes["now"]} style={{ left: x(now) }} />
    </div>
  );
}

function Exact() {
  const { t } = useTranslation();
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  const { chosen, choose } = useTime();
  const span = spanOf(chosen, zone);
  const [open, setOpen] = useState(false);
  const [texts, setTexts] = useState({ from: "", to: "" });
  const from = fromLocal(texts.from, zone);
  const to = fromLocal(texts.to, zone);
  const ready = from !== null && to !== null && to > from;
  return (
    <Popover opened={open} onChange={setOpen} position="top-end" trapFocus transitionProps={{ duration: 0 }}>
      <Popover.Target>
        <UnstyledButton
          className={classes["quick"]} aria-pressed={chosen.name === "custom"} aria-label={t("time.exact")} title={t("time.exact")} data-testid="time-exact"
          onClick={() => {
            setTexts({ from: toLocal(span.from, zone), to: toLocal(span.to, zone) });
            setOpen(!open);
          }}
        >
          <CalendarRange size={15} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className={classes["exact"]}
          onSubmit={(event) => {
            event.preventDefault();
            if (!ready) return;
            choose({ name: "custom", from, to });
            setOpen(false);
          }}
        >
          <TextInput type="datetime-local" size="xs" label={t("time.from")} value={texts.from} onChange={(event) => setTexts({ ...texts, from: event.currentTarget.value })} />
          <TextInput type="datetime-local" size="xs" label={t("time.to")} value={texts.to} onChange={(event) => setTexts({ ...texts, to: event.currentTarget.value })} />
          <Button type="submit" size="xs" disabled={!ready}>{t("time.choose")}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

/** The range that charts and lists look at. Live only: the past is read, not replayed. */
export function TimeBar() {
  const { t } = useTranslation();
  const format = useFormat();
  const { live, since } = useLiveStatus();
  const { chosen, choose } = useTime();
  const lost = !live && since !== null;
  return (
    <footer className={classes["bar"]} data-lost={lost || undefined} data-testid="time-bar">
      <span className={classes["state"]}>
        <span className={classes["dot"]} aria-hidden />
        {live ? t("time.live") : lost ? t("time.lost", { since: format.clock(since) }) : t("live.joining")}
      </span>
      <Strip />
      <TourOffer />
      <div className={classes["quicks"]} role="group" aria-label={t("time.label")}>
        {quick.map((name) => (
          <UnstyledButton key={name} className={classes["quick"]} aria-pressed={chosen.name === name} data-testid={`time-${name}`} onClick={() => choose({ name })}>{t(`time.${name}`)}</UnstyledButton>
        ))}
        <Exact />
      </div>
    </footer>
  );
}
