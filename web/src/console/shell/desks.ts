/** The desks that exist, in the rail's order. */
import { BookOpenText, Activity, Lightbulb, type LucideIcon, Map as MapIcon, PackageX, Users } from "lucide-react";
import type { permission } from "../session/session";

export interface DeskPlace {
  name: "map" | "commands" | "journal" | "quarantine" | "system" | "administration";
  path: string;
  key: string;
  icon: LucideIcon;
  needs: (keyof typeof permission)[];
}

export const desks: readonly DeskPlace[] = [
  { name: "map", path: "/", key: "1", icon: MapIcon, needs: [] },
  { name: "commands", path: "/commands", key: "2", icon: Lightbulb, needs: ["commands"] },
  { name: "journal", path: "/journal", key: "3", icon: BookOpenText, needs: ["journal"] },
  { name: "quarantine", path: "/quarantine", key: "4", icon: PackageX, needs: ["quarantine"] },
  { name: "system", path: "/system", key: "5", icon: Activity, needs: ["system"] },
  { name: "administration", path: "/administration", key: "6", icon: Users, needs: ["users", "tokens"] },
];

/** A desk shows when the person may use any part of it. */
export function visibleDesks(can: (what: keyof typeof permission) => boolean): DeskPlace[] {
  return desks.filter(({ needs }) => needs.length === 0 || needs.some(can));
}
