/** The one live connection of this window, and hooks that look at it. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { LiveConnection } from "./connection";
import { type Rows, RowStore } from "./rows";
import { openSocket } from "./shared";
import { LightStore } from "./store";
import type { RowTopics, TopicName } from "./topics";

export const lights = new LightStore();
export const rows = new RowStore();
let who = "";
let unauthorised: () => void = () => undefined;

function liveUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`;
}
export const connection = new LiveConnection(liveUrl, lights, rows, {
  open: (url) => openSocket(url, who),
  onUnauthorised: () => unauthorised(),
});

/** Connect as this person, until the answer is called. */
export function startLive(person: string, onUnauthorised: () => void): () => void {
  who = person;
  unauthorised = onUnauthorised;
  connection.start();
  return () => {
    connection.stop();
    lights.clear();
    rows.clear();
  };
}

export const useLiveStatus = () => useSyncExternalStore(connection.subscribe, () => connection.status);

/** The open rows of a topic, up to date for as long as somebody looks. */
export function useRows<T extends TopicName>(topic: T): Rows<RowTopics[T]> {
  useEffect(() => connection.follow(topic), [topic]);
  const subscribe = useCallback((listener: () => void) => rows.subscribe(topic, listener), [topic]);
  return useSyncExternalStore(subscribe, () => rows.get(topic)) as Rows<RowTopics[T]>;
}

/** Hear of every row of a topic that changed, open or not (null: of any): to ask queries anew. */
export function useTouched(topic: TopicName, listener: (ids: readonly string[] | null) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const unfollow = connection.follow(topic);
    const stop = rows.onTouched(topic, (ids) => latest.current(ids));
    return () => {
      stop();
      unfollow();
    };
  }, [topic]);
}

const lookEvery = 250;

/**
 * What `read` finds in the columns, looked at again at most four times a second. `read` is to be stable; an answer
 * that `same` says is the same renders nothing.
 */
export function useColumns<T>(read: (store: LightStore) => T, same: (a: T, b: T) => boolean = Object.is): T {
  const [found, setFound] = useState(() => read(lights));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      setFound((before) => {
        const after = read(lights);
        return same(before, after) ? before : after;
      });
    };
    look();
    const stop = lights.subscribe(() => {
      timer ??= setTimeout(look, lookEvery);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [read, same]);
  return found;
}
