import { Suspense, lazy } from "react";
import type { Territory } from "../../shared/api/types";

/** The engine of the map is as large as all the rest: it comes while the frame is drawn already. */
const part = import("./MapView").then(({ MapView }) => ({ default: MapView }));
// Who shows the map is told of a failure, when the map is shown.
part.catch(() => undefined);
const MapView = lazy(() => part);

/** The map, as soon as its engine is here. */
export function Map({ territory }: { territory: Territory }) {
  return <Suspense><MapView territory={territory} /></Suspense>;
}
