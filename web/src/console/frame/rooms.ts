/** The rooms of these screens, found by their folders. */
import { Map as MapIcon } from "lucide-react";
import { type ComponentType, type LazyExoticComponent, lazy, useMemo } from "react";
import { useSession } from "../session/session";
import { type BarVerb, type DeskSpec, type PanelSpec, type RoomModule, desksOf, visibleDesks, visibleVerbs } from "./room";

const found = import.meta.glob<RoomModule>("../../rooms/*/index.ts", { eager: true, import: "default" });

export const rooms: ReadonlyMap<string, RoomModule> = new Map(
  Object.entries(found).map(([path, room]) => [path.split("/").at(-2) ?? path, room]),
);

/** The map is the shell's own: it is always there, under the desks. */
const map: DeskSpec = {
  name: "map", path: "/", group: "watch", order: 0, icon: MapIcon, go: "m", load: () => Promise.reject(new Error("The map is not a page.")),
};

/** All that is on the rail or has an address, for this person. */
export function useDesks(): DeskSpec[] {
  const { permissions, rooms: on } = useSession();
  return useMemo(() => [map, ...visibleDesks(rooms, { permissions, rooms: on })], [permissions, on]);
}

export function useRoomVerbs(): BarVerb[] {
  const { permissions, rooms: on } = useSession();
  return useMemo(() => visibleVerbs(rooms, { permissions, rooms: on }), [permissions, on]);
}

type Page = LazyExoticComponent<ComponentType>;
const pages = new Map<string, Page>();
const panels = new Map<string, LazyExoticComponent<ComponentType<{ id: string }>>>();
const panelSpecs = new Map<string, PanelSpec>();
for (const room of rooms.values()) {
  for (const desk of desksOf(room)) pages.set(desk.path, lazy(desk.load));
  for (const panel of room.panels ?? []) {
    panelSpecs.set(panel.kind, panel);
    panels.set(panel.kind, lazy(panel.load));
  }
}

export const pageOf = (desk: DeskSpec): Page | undefined => pages.get(desk.path);
export const panelOf = (kind: string) => panels.get(kind);

const addresses = new Map([...rooms.values()].flatMap(({ objects }) => Object.entries(objects ?? {})));

/** Where an object of any room is opened; null when no room of these screens shows it. */
export function objectAddress(type: string, id: string): string | null {
  return addresses.get(type)?.replace("{id}", encodeURIComponent(id)) ?? null;
}

/** Fetched before they are asked for: a desk or panel opens at once, and also when the server has gone since. */
export function fetchAhead(desks: readonly DeskSpec[]): void {
  for (const { load } of [...panelSpecs.values(), ...desks]) load().catch(() => undefined);
}
