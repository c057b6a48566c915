/** What is sent to the wall from a desk. */
import { type Wall, type WallTile, getWall, setWall } from "./calls";

export const wallName = "salle";
const most = 8;

const sameTile = (a: WallTile, b: WallTile): boolean =>
  a.kind === b.kind && (a.asset ?? null) === (b.asset ?? null) && a.metric === b.metric && (a.kind !== "text" || a.text === b.text);

/** A tile among the others: the same one is replaced where it stands, the oldest make room. */
export function withTile(tiles: readonly WallTile[], tile: WallTile): WallTile[] {
  const at = tiles.findIndex((other) => sameTile(other, tile));
  if (at >= 0) return tiles.map((other, i) => (i === at ? tile : other));
  return [...tiles, tile].slice(-most);
}

export async function sendToWall(tile: WallTile): Promise<Wall> {
  const wall = await getWall(wallName);
  return setWall(wall, withTile(wall.tiles, tile), { locked: false, unlock: false });
}

export async function changeWall(change: (tiles: WallTile[]) => WallTile[], lock: { locked: boolean; unlock: boolean }): Promise<Wall> {
  const wall = await getWall(wallName);
  return setWall(wall, change(wall.tiles), lock);
}
