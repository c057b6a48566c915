/** The one live connection of this window, and small hooks that look at it without copying it. */
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { LiveConnection } from "../../shared/live/connection";
import { type Counters, type Light, LightStore } from "../../shared/live/store";

export const lights = new LightStore();
let unauthorised: () => void = () => undefined;

function liveUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`;
}
export const connection = new LiveConnection(liveUrl, lights, { onUnauthorised: () => unauthorised() });

export function startLive(onUnauthorised: () => void): () => void {
  unauthorised = onUnauthorised;
  connection.start();
  return () => {
    connection.stop();
    lights.clear();
  };
}

export const useLiveStatus = () => useSyncExternalStore(connection.subscribe, () => connection.status);

const beats = new Set<() => void>();
let beating: ReturnType<typeof setInterval> | undefined;
let second = 0;
function onBeat(listener: () => void): () => void {
  beats.add(listener);
  beating ??= setInterval(() => {
    second++;
    for (const beat of beats) beat();
  }, 1_000);
  return () => {
    beats.delete(listener);
    if (beats.size === 0) {
      clearInterval(beating);
      beating = undefined;
    }
  };
}

/** Server time in ms, moving once a second for all who look. */
export function useNow(): number {
  useSyncExternalStore(onBeat, () => second);
  return connection.now();
}

/** A light's live state; renders again at most four times a second, and only when its channel changed. */
export function useLight(id: number): Light | null {
  const [light, setLight] = useState(() => lights.get(id));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      setLight((before) => {
        const after = lights.get(id);
        return same(before, after) ? before : after;
      });
    };
    look();
    const stop = lights.subscribe((changed) => {
      if (changed && !changed.slot.has(id)) return;
      timer ??= setTimeout(look, 250);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id]);
  return light;
}

function same(a: Light | null, b: Light | null): boolean {
  if (!a || !b) return a === b;
  return Object.is(a.at, b.at) && Object.is(a.level, b.level) && Object.is(a.power, b.power) && a.flags === b.flags;
}

export function useCounters(promise: number): Counters {
  const [counters, setCounters] = useState(() => lights.count(connection.now() / 1000, promise));
  const count = useCallback(() => setCounters(lights.count(connection.now() / 1000, promise)), [promise]);
  useEffect(() => onBeat(count), [count]);
  useEffect(() => lights.subscribe((changed) => changed === null && count()), [count]);
  return counters;
}
