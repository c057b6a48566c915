import { BellRing, MessageSquare, PhoneCall } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: [
    { name: "messages", path: "/messages", group: "administer", order: 25, icon: MessageSquare, go: "n", needs: ["notify.read"], load: () => import("./MessagesPage") },
    { name: "cascades", path: "/cascades", group: "handle", order: 60, icon: PhoneCall, go: "p", needs: ["notify.read"], load: () => import("./CascadesPage") },
    { name: "preferences", path: "/preferences", group: "administer", icon: BellRing, hidden: true, load: () => import("./PreferencesPage") },
  ],
  objects: { "notify.message": "/messages/{id}", "notify.cascade": "/cascades/{id}" },
});
