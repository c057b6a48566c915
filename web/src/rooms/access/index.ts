import { CircleUser, ShieldCheck, Users } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: [
    {
      name: "administration", path: "/administration", group: "administer", order: 10, icon: Users, go: "u",
      needs: ["access.read", "access.roles", "access.tokens"], load: () => import("./AdministrationPage"),
    },
    { name: "approvals", path: "/approvals", group: "handle", order: 70, icon: ShieldCheck, go: "a", load: () => import("./ApprovalsPage") },
    { name: "account", path: "/account", group: "administer", icon: CircleUser, hidden: true, load: () => import("../../console/session/AccountPage") },
  ],
});
