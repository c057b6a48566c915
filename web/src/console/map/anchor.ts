/** What lies under the pointer stays there when a dock, drawer or list opens beside the map. */
import type { Map as MapLibre } from "maplibre-gl";

export interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where the middle of the new place lies, in pixels of the old one. */
export function middleIn(before: Place, after: Place): [number, number] {
  return [after.left - before.left + after.width / 2, after.top - before.top + after.height / 2];
}

const placeOf = (host: HTMLElement): Place => {
  const { left, top, width, height } = host.getBoundingClientRect();
  return { left, top, width, height };
};

/** Watches the map's place on the screen; a map that is hidden is left as it was. */
export function keepPlace(map: MapLibre, host: HTMLElement): () => void {
  let before = placeOf(host);
  const look = () => {
    const after = placeOf(host);
    if (after.width === 0 || after.height === 0) return;
    if (after.width === before.width && after.height === before.height && after.left === before.left && after.top === before.top) return;
    if (before.width > 0) {
      const middle = map.unproject(middleIn(before, after));
      map.resize();
      if (!map.isMoving()) map.jumpTo({ center: middle });
    } else map.resize();
    before = after;
  };
  const watch = new ResizeObserver(look);
  watch.observe(host);
  return () => watch.disconnect();
}
