/** While the tool is in hand, a drag draws a line around what is to be selected. */
import type { Map as MapLibre } from "maplibre-gl";
import { colour } from "../../shared/tokens";
import type { Ring } from "./pick";

/** Points closer together than these pixels say nothing. */
const step = 4;
const fewest = 3;

interface Options {
  active: () => boolean;
  onRing: (ring: Ring, add: boolean) => void;
}

export function attachLasso(map: MapLibre, { active, onRing }: Options): () => void {
  const host = map.getCanvasContainer();
  let points: [number, number][] | null = null;
  let drawn: SVGSVGElement | null = null;

  const at = (event: PointerEvent): [number, number] => {
    const box = host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const end = () => {
    if (!points) return;
    points = null;
    drawn?.remove();
    drawn = null;
    map.dragPan.enable();
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || event.shiftKey || !active()) return;
    event.preventDefault();
    map.dragPan.disable();
    points = [at(event)];
    host.setPointerCapture(event.pointerId);
    drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawn.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none";
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
    line.setAttribute("fill", `${colour.focus}22`);
    line.setAttribute("stroke", colour.focus);
    drawn.append(line);
    host.append(drawn);
  };
  const move = (event: PointerEvent) => {
    const last = points?.at(-1);
    if (!points || !last) return;
    const now = at(event);
    if (Math.hypot(now[0] - last[0], now[1] - last[1]) < step) return;
    points.push(now);
    drawn?.firstElementChild?.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  };
  const up = (event: PointerEvent) => {
    const line = points;
    if (!line) return;
    end();
    if (line.length < fewest) return;
    // The click that ends the drag opens nothing.
    host.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => host.removeEventListener("click", swallow, { capture: true }));
    onRing(line.map((point) => map.unproject(point)).map(({ lng, lat }) => [lng, lat] as const), event.ctrlKey || event.metaKey);
  };
  const swallow = (event: MouseEvent) => event.stopPropagation();
  const key = (event: KeyboardEvent) => {
    if (event.key === "Escape") end();
  };
  host.addEventListener("pointerdown", down, { capture: true });
  host.addEventListener("pointermove", move);
  host.addEventListener("pointerup", up);
  host.addEventListener("pointercancel", end);
  window.addEventListener("keydown", key);
  return () => {
    host.removeEventListener("pointerdown", down, { capture: true });
    host.removeEventListener("pointermove", move);
    host.removeEventListener("pointerup", up);
    host.removeEventListener("pointercancel", end);
    window.removeEventListener("keydown", key);
  };
}
