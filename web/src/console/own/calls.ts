/** How one has set up one's screens, who is at what, and what the wall shows. */
import { api, ok } from "../../shared/api/client";
import type { components } from "../../shared/api/schema";
import type { WindowState } from "../state/bus";

type Schemas = components["schemas"];
export type Preferences = Schemas["DeskPreferences"];
export type Post = Schemas["DeskPost"];
export type Hold = Schemas["DeskHold"];
export type Wall = Schemas["Wall"];
export type WallTile = Schemas["WallTile"];

/** A tile with what it does not need left empty. */
export const tileOf = (kind: WallTile["kind"], part: Partial<WallTile> = {}): WallTile => ({ kind, text: "", metric: "", ...part });

type Kept = Schemas["DeskWindow"];

export const getPreferences = () => ok(api.GET("/api/v1/desk/preferences"));
export const putPreferences = (body: Preferences) => ok(api.PUT("/api/v1/desk/preferences", { body }));

export const keptOf = ({ sideBySide, panels, range, left, top, width, height, ...rest }: WindowState): Kept => ({
  ...rest,
  left: Math.round(left), top: Math.round(top), width: Math.round(width), height: Math.round(height),
  side_by_side: sideBySide,
  panels: panels.map(({ kind, id, pinned }) => ({ kind, id: String(id ?? ""), pinned: pinned ?? false })),
  range: range.name === "custom" ? { name: range.name, from: Math.round(range.from), to: Math.round(range.to) } : { name: range.name, from: null, to: null },
});

export function windowOf({ side_by_side: sideBySide, panels, range, view, ...rest }: Kept): WindowState {
  const custom = range.name === "custom" && typeof range.from === "number" && typeof range.to === "number";
  return {
    ...rest, sideBySide,
    // Equipment is known by number, everything else by text.
    panels: panels.map(({ kind, id, pinned }) => ({ kind, id: kind === "asset" ? Number(id) : id, pinned })),
    range: custom ? { name: "custom", from: range.from as number, to: range.to as number } : { name: range.name === "custom" ? "day" : (range.name as "day") },
    view: view ?? null,
  };
}

export const listPosts = () => ok(api.GET("/api/v1/desk/posts")) as Promise<Post[]>;
export const savePost = (title: string, windows: readonly WindowState[]) =>
  ok(api.POST("/api/v1/desk/posts", { body: { title, windows: windows.map(keptOf) } }));
export const deletePost = (post_id: string) => ok(api.DELETE("/api/v1/desk/posts/{post_id}", { params: { path: { post_id } } }));

export interface Ref {
  type: string;
  id: string;
}

export const look = (body: Ref) => ok(api.POST("/api/v1/desk/presence", { body }));
export const leaveObject = (body: Ref) => ok(api.POST("/api/v1/desk/presence/leave", { body }));
export const take = (object: Ref, over: boolean) => ok(api.POST("/api/v1/desk/locks", { body: { object, over } }));
export const giveBack = (body: Ref) => ok(api.POST("/api/v1/desk/locks/release", { body }));

export const getWall = (wall: string) => ok(api.GET("/api/v1/desk/walls/{wall}", { params: { path: { wall } } })) as Promise<Wall>;
export const setWall = (wall: Wall, tiles: WallTile[], lock: { locked: boolean; unlock: boolean }) =>
  ok(api.PUT("/api/v1/desk/walls/{wall}", { params: { path: { wall: wall.name }, header: { "If-Match": `"${wall.version}"` } }, body: { tiles, ...lock } })) as Promise<Wall>;

declare module "../../shared/live/topics" {
  interface RowTopics {
    "desk.presence": Hold;
    "desk.locks": Hold;
    "desk.walls": Wall;
  }
}
