import { Suspense } from "react";
import { Boundary } from "../../shared/ui/Boundary";
import { panelOf } from "../frame/rooms";
import { useDesk } from "../state/desk";
import classes from "./Dock.module.css";

/** Panels stack at the right, the newest on top. */
export function Dock() {
  const panels = useDesk((desk) => desk.panels);
  if (panels.length === 0) return null;
  return (
    <aside className={classes["dock"]} data-dock>
      {panels.map(({ kind, id = "" }) => {
        const Panel = panelOf(kind);
        return Panel && <Boundary key={`${kind}-${id}`}><Suspense><Panel id={String(id)} /></Suspense></Boundary>;
      })}
    </aside>
  );
}
