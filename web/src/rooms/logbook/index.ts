import { NotebookPen } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: { name: "logbook", path: "/logbook", group: "handle", icon: NotebookPen, go: "l", needs: ["logbook.read"], load: () => import("./LogbookDesk") },
  objects: { "logbook.entry": "/logbook/{id}" },
  topics: { "logbook.entries": ["logbook"] },
});
