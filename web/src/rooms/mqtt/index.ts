import { PackageX } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: {
    name: "quarantine", path: "/quarantine", group: "administer", order: 30, icon: PackageX, go: "q", needs: ["quarantine.read"],
    load: () => import("./QuarantinePage"),
  },
});
