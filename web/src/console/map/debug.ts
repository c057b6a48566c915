/** A small read-only handle for the end-to-end tests: what the map shows, without reading pixels. */
import type { Map as MapLibre } from "maplibre-gl";
import { conditionOf } from "../../shared/live/condition";
import type { Light } from "../../shared/live/store";
import { connection, lights } from "../state/live";

interface Handle {
  readonly map: MapLibre;
  readonly live: boolean;
  readonly updates: number;
  lights: () => number;
  lightsReported: () => number;
  light: (id: number) => Light | null;
  /** How many the map knows of each kind. */
  kinds: () => Record<string, number>;
  /** How many clusters it shows; null while each has its own sign. */
  clusters: () => number | null;
  /** Every light as [id, level, flags, at], sorted: to compare with a fresh snapshot. */
  state: () => [number, number | null, number, number | null][];
}

declare global {
  interface Window {
    __vigie?: Handle;
  }
}

const orNull = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);

export function exposeForTests(map: MapLibre, promise: () => number, clusters: () => number | null): void {
  window.__vigie = Object.freeze({
    map,
    get live() {
      return connection.status.live;
    },
    get updates() {
      return lights.updates;
    },
    lights: () => lights.total,
    lightsReported: () => [...lights.lamps()].reduce((sum, channel) => sum + channel.at.reduce((n, at, i) => n + Number(!["silent", "retired"].includes(conditionOf(channel.flags[i] ?? 0, at, connection.now() / 1000, promise()))), 0), 0),
    light: (id: number) => lights.get(id),
    kinds: () => Object.fromEntries([...lights.tally(connection.now() / 1000, promise())].map(([kind, { total }]) => [kind, total])),
    clusters,
    state: () =>
      [...lights.lamps()]
        .flatMap((channel) =>
          Array.from(channel.id, (id, i): [number, number | null, number, number | null] => [
            id, orNull(channel.value("dimmingLevel", i)), channel.flags[i] ?? 0, orNull(channel.at[i]),
          ]),
        )
        .sort((a, b) => a[0] - b[0]),
  });
}
