import { Lightbulb } from "lucide-react";
import { defineRoom } from "../../console/frame/room";

export default defineRoom({
  desk: { name: "commands", path: "/commands", group: "operate", icon: Lightbulb, go: "c", needs: ["control.read"], load: () => import("./CommandsPage") },
  panels: [
    { kind: "command", load: () => import("./CommandPanel") },
    { kind: "selection", load: () => import("./SelectionPanel") },
  ],
  objects: { "control.command": "/commands/{id}" },
});
