/** Small hooks of the console that look at the live lights without copying them. */
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { connection, lights } from "../../shared/live/live";
import type { Counters, Light } from "../../shared/live/store";

export { connection, lights, startLive, useLiveStatus } from "../../shared/live/live";

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

/** When what is shown was true, in seconds: now, or the moment the picture stood still. */
export function pictureTime(): number {
  const { live, since } = connection.status;
  return (live || since === null ? connection.now() : Math.min(since, connection.now())) / 1000;
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
  const [counters, setCounters] = useState(() => lights.count(pictureTime(), promise));
  const count = useCallback(() => setCounters(lights.count(pictureTime(), promise)), [promise]);
  useEffect(() => onBeat(count), [count]);
  useEffect(() => lights.subscribe((changed) => changed === null && count()), [count]);
  return counters;
}
