import { CalendarClock } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: { name: "duty", path: "/duty", group: "handle", order: 40, icon: CalendarClock, go: "d", needs: ["duty.read"], load: () => import("./DutyDesk") },
  objects: { "duty.function": "/duty/{id}" },
});
