/**
 * What a room shows on the screens. A room is a folder, `src/rooms/<name as on the server>/`; its `index.ts` exports one
 * of these by default, and nothing else has to change: rail, keys, addresses, command bar and dock read it.
 *
 *     export default defineRoom({
 *       desk: { name: "logbook", path: "/logbook", group: "handle", icon: NotebookPen, go: "l", needs: ["logbook.read"],
 *               load: () => import("./LogbookDesk") },
 *       topics: { "logbook.entries": ["logbook"] },
 *     });
 *
 * Its words are `words/fr.json` and `words/en.json` beside it: `desk.logbook`, `deskShort.logbook` and its own group.
 */
import type { LucideIcon } from "lucide-react";
import type { ComponentType } from "react";

/** The rail's groups, in their order: the last stands at the bottom. */
export const groups = ["watch", "handle", "operate", "decide", "administer"] as const;
export type DeskGroup = (typeof groups)[number];

export interface DeskSpec {
  /** Its words are `desk.<name>` and, under the rail's icon, `deskShort.<name>`. */
  name: string;
  /** The desk's address; what is below it (`/logbook/123`) is the desk's as well. */
  path: string;
  group: DeskGroup;
  /** Within the group; 50 unless said otherwise. */
  order?: number;
  icon: LucideIcon;
  /** The letter that follows `g`; no two desks have the same. */
  go?: string;
  /** Shown to who holds any of these permissions; to everybody when empty. */
  needs?: readonly string[];
  /** Not on the rail: found by its address and in the command bar. */
  hidden?: boolean;
  load: () => Promise<{ default: ComponentType }>;
}

/** What opens in the dock, beside the map: `openPanel({ kind, id })`. */
export interface PanelSpec {
  kind: string;
  load: () => Promise<{ default: ComponentType<{ id: string }> }>;
}

/** What the command bar can do besides finding; its words are `verb.<name>`. */
export interface BarVerb {
  name: string;
  needs?: readonly string[];
  run: (navigate: (path: string) => void) => void;
}

export interface RoomModule {
  desk?: DeskSpec | readonly DeskSpec[];
  panels?: readonly PanelSpec[];
  verbs?: readonly BarVerb[];
  /** Where an object of a type is opened: `{ "logbook.entry": "/logbook/{id}" }`. */
  objects?: Readonly<Record<string, string>>;
  /** Live topics, and the queries (by the beginning of their key) that are asked again when one moves. */
  topics?: Readonly<Record<string, readonly string[]>>;
}

/** Only for the compiler: a fault in a declaration shows where it is written. */
export const defineRoom = (room: RoomModule): RoomModule => room;

export const desksOf = ({ desk }: RoomModule): readonly DeskSpec[] =>
  desk === undefined ? [] : "load" in desk ? [desk] : desk;

interface Person {
  permissions: readonly string[];
  rooms: readonly string[];
}

const allowed = (needs: readonly string[] | undefined, { permissions }: Person): boolean =>
  !needs?.length || needs.some((name) => permissions.includes(name));

const byPlace = (a: DeskSpec, b: DeskSpec): number =>
  groups.indexOf(a.group) - groups.indexOf(b.group) || (a.order ?? 50) - (b.order ?? 50) || a.name.localeCompare(b.name);

/** The desks of the rooms that are switched on, as far as this person may use them, in the rail's order. */
export function visibleDesks(rooms: ReadonlyMap<string, RoomModule>, person: Person): DeskSpec[] {
  return [...rooms]
    .filter(([name]) => person.rooms.includes(name))
    .flatMap(([, room]) => desksOf(room))
    .filter(({ needs }) => allowed(needs, person))
    .sort(byPlace);
}

export function visibleVerbs(rooms: ReadonlyMap<string, RoomModule>, person: Person): BarVerb[] {
  return [...rooms]
    .filter(([name]) => person.rooms.includes(name))
    .flatMap(([, room]) => room.verbs ?? [])
    .filter(({ needs }) => allowed(needs, person));
}

/** True for a desk and what is below it. */
export const isAt = (desk: Pick<DeskSpec, "path">, path: string): boolean =>
  desk.path === "/" ? path === "/" : path === desk.path || path.startsWith(`${desk.path}/`);
