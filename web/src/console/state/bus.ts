/**
 * What one operator's windows tell each other: the selection, the object at work, the range of time, a place to look at.
 * A window that is unlinked neither tells nor hears, except which windows there are.
 */
import { create } from "zustand";
import { onShow, showBox } from "../map/controller";
import type { Bbox } from "../../shared/api/types";
import { type Panel, useDesk } from "./desk";
import { type Chosen, useTime } from "./time";

/** A window as a saved post keeps it. */
export interface WindowState {
  path: string;
  left: number;
  top: number;
  width: number;
  height: number;
  panels: Panel[];
  filter: string;
  drawer: boolean;
  sideBySide: boolean;
  range: Chosen;
  view: Bbox | null;
  linked: boolean;
}

export type Message =
  | { t: "selection"; ids: number[] }
  | { t: "object"; id: number | string }
  | { t: "range"; chosen: Chosen }
  | { t: "cursor"; at: number | null }
  | { t: "show"; box: Bbox }
  | { t: "hello" }
  | { t: "who"; ask: string }
  | { t: "here"; ask: string; window: WindowState };

interface Link {
  linked: boolean;
  setLinked: (linked: boolean) => void;
}

export const useLink = create<Link>((set) => ({ linked: true, setLinked: (linked) => set({ linked }) }));

let channel: BroadcastChannel | null = null;
/** While what another window said is taken over: it is not said again. */
let applying = false;
let windowState: (() => WindowState) | null = null;

const say = (message: Message) => channel?.postMessage(message);
const tell = (message: Message) => {
  if (!applying && useLink.getState().linked) say(message);
};

function take(message: Message): void {
  const desk = useDesk.getState();
  switch (message.t) {
    case "selection": {
      const same = message.ids.length === desk.selection.size && message.ids.every((id) => desk.selection.has(id));
      if (!same) desk.select(message.ids);
      break;
    }
    case "object":
      if (!desk.panels.some(({ kind, id }) => kind === "asset" && id === message.id)) desk.openPanel({ kind: "asset", id: message.id });
      break;
    case "range": useTime.getState().choose(message.chosen); break;
    case "cursor": useTime.getState().point(message.at); break;
    case "show": showBox(message.box); break;
    case "hello": {
      const { selection } = useDesk.getState();
      say({ t: "range", chosen: useTime.getState().chosen });
      if (selection.size > 0) say({ t: "selection", ids: [...selection] });
      break;
    }
    case "who": case "here": break;
  }
}

/** Joins this person's other windows, until the answer is called. */
export function joinWindows(person: string, own: () => WindowState): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const joined = new BroadcastChannel(`vigie.windows.${person}`);
  channel = joined;
  windowState = own;
  joined.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.t === "who") say({ t: "here", ask: data.ask, window: own() });
    else if (data.t === "here") answers.get(data.ask)?.push(data.window);
    else if (useLink.getState().linked) {
      applying = true;
      try {
        take(data);
      } finally {
        applying = false;
      }
    }
  };
  const stops = [
    useDesk.subscribe((now, before) => {
      if (now.selection !== before.selection) tell({ t: "selection", ids: [...now.selection] });
      const object = now.panels[0];
      if (object?.kind === "asset" && object.id !== undefined && !before.panels.some((panel) => panel.kind === "asset" && panel.id === object.id)) tell({ t: "object", id: object.id });
    }),
    useTime.subscribe((now, before) => {
      if (now.chosen !== before.chosen) tell({ t: "range", chosen: now.chosen });
      if (now.cursor !== before.cursor) tell({ t: "cursor", at: now.cursor });
    }),
    onShow((box) => tell({ t: "show", box })),
  ];
  if (useLink.getState().linked) say({ t: "hello" });
  return () => {
    for (const stop of stops) stop();
    joined.close();
    if (channel === joined) channel = null;
  };
}

const answers = new Map<string, WindowState[]>();
const patience = 400;

/** Every window of this person there is, this one first. */
export async function everyWindow(): Promise<WindowState[]> {
  const ask = crypto.randomUUID();
  const others: WindowState[] = [];
  answers.set(ask, others);
  say({ t: "who", ask });
  await new Promise((done) => setTimeout(done, patience));
  answers.delete(ask);
  return windowState ? [windowState(), ...others] : others;
}

