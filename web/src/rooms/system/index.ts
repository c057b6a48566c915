import { Activity, ListChecks, Palette } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: [
    { name: "system", path: "/system", group: "administer", order: 20, icon: Activity, go: "s", needs: ["core.system"], load: () => import("./SystemPage") },
    { name: "jobs", path: "/jobs", group: "administer", order: 35, icon: ListChecks, go: "t", needs: ["core.jobs_read"], load: () => import("./JobsPage") },
    { name: "design", path: "/design", group: "administer", order: 90, icon: Palette, hidden: true, load: () => import("./DesignPage") },
  ],
  objects: { "core.job": "/jobs/{id}" },
});
