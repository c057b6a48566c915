/** Where the map begins, when not at the whole territory: at the light of the address, or at what one may see. */
import type { Map as MapLibre } from "maplibre-gl";
import { lightInAddress } from "../shell/address";
import { lights } from "../state/live";
import { boxOf } from "./controller";

const streetZoom = 17;
/** Lights come by channel; after this the map moves only by hand. */
const settled = 5_000;

export function firstView(map: MapLibre, ownOnly: boolean): () => void {
  const asked = lightInAddress();
  if (asked === null && !ownOnly) return () => undefined;
  const look = () => {
    const light = asked === null ? null : lights.get(asked);
    if (light) {
      map.jumpTo({ center: [light.lon, light.lat], zoom: streetZoom });
      stop();
    } else if (ownOnly) {
      const box = boxOf(lights.ids());
      if (box) map.fitBounds(box, { padding: 60, maxZoom: streetZoom, duration: 0 });
    }
  };
  const stopLights = lights.subscribe((changed) => changed === null && look());
  const timer = setTimeout(() => stop(), settled);
  const stop = () => {
    stopLights();
    clearTimeout(timer);
  };
  map.on("movestart", (event) => event.originalEvent && stop());
  look();
  return stop;
}
