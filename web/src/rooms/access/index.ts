import { Users } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: {
    name: "administration", path: "/administration", group: "administer", order: 10, icon: Users, go: "u", needs: ["access.read", "access.tokens"],
    load: () => import("./AdministrationPage"),
  },
});
