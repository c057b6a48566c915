import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  panels: [{ kind: "asset", load: () => import("./AssetPanel") }],
  objects: { "twin.asset": "/?light={id}" },
});
