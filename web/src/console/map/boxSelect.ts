/** Shift-drag, or a plain drag while the tool is chosen, draws a box; the other drags move the map. */
import type { Map as MapLibre } from "maplibre-gl";
import type { Bounds } from "./pick";

const smallest = 4;

interface Options {
  className: string;
  toolActive: () => boolean;
  onBox: (box: Bounds, add: boolean) => void;
}

export function attachBoxSelect(map: MapLibre, options: Options): () => void {
  const canvas = map.getCanvasContainer();
  let start: { x: number; y: number } | null = null;
  let frame: HTMLDivElement | null = null;

  const at = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const end = () => {
    start = null;
    frame?.remove();
    frame = null;
    map.dragPan.enable();
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || !(event.shiftKey || options.toolActive())) return;
    event.preventDefault();
    map.dragPan.disable();
    start = at(event);
    canvas.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (!start) return;
    const now = at(event);
    if (!frame) {
      frame = document.createElement("div");
      frame.className = options.className;
      canvas.append(frame);
    }
    frame.style.transform = `translate(${Math.min(start.x, now.x)}px, ${Math.min(start.y, now.y)}px)`;
    frame.style.width = `${Math.abs(start.x - now.x)}px`;
    frame.style.height = `${Math.abs(start.y - now.y)}px`;
  };
  const up = (event: PointerEvent) => {
    if (!start) return;
    const from = start;
    const to = at(event);
    end();
    if (Math.abs(from.x - to.x) < smallest && Math.abs(from.y - to.y) < smallest) return;
    // The click that ends the drag is not a click on the light that happens to lie there.
    canvas.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => canvas.removeEventListener("click", swallow, { capture: true }));
    const a = map.unproject([from.x, from.y]);
    const b = map.unproject([to.x, to.y]);
    options.onBox(
      {
        west: Math.min(a.lng, b.lng),
        east: Math.max(a.lng, b.lng),
        south: Math.min(a.lat, b.lat),
        north: Math.max(a.lat, b.lat),
      },
      event.ctrlKey || event.metaKey,
    );
  };
  const swallow = (event: MouseEvent) => event.stopPropagation();
  const key = (event: KeyboardEvent) => {
    if (event.key === "Escape" && start) end();
  };

  canvas.addEventListener("pointerdown", down, { capture: true });
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", end);
  window.addEventListener("keydown", key);
  return () => {
    canvas.removeEventListener("pointerdown", down, { capture: true });
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
    canvas.removeEventListener("pointercancel", end);
    window.removeEventListener("keydown", key);
  };
}
