import { BookOpenText, RotateCcw } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: [
    { name: "journal", path: "/journal", group: "decide", icon: BookOpenText, go: "j", needs: ["journal.read"], load: () => import("./JournalPage") },
    { name: "parked", path: "/parked", group: "administer", order: 40, icon: RotateCcw, go: "r", needs: ["journal.operate"], load: () => import("./ParkedPage") },
  ],
});
