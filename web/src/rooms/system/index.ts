import { Activity, Palette } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: [
    { name: "system", path: "/system", group: "administer", order: 20, icon: Activity, go: "s", needs: ["core.system"], load: () => import("./SystemPage") },
    { name: "design", path: "/design", group: "administer", order: 90, icon: Palette, hidden: true, load: () => import("./DesignPage") },
  ],
});
