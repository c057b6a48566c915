import { useDesk } from "../state/desk";
import { AssetPanel } from "../asset/AssetPanel";
import { CommandPanel } from "../command/CommandPanel";
import { SelectionPanel } from "../command/SelectionPanel";
import classes from "./Dock.module.css";

/** Panels stack at the right, the newest on top. */
export function Dock() {
  const panels = useDesk((desk) => desk.panels);
  if (panels.length === 0) return null;
  return (
    <aside className={classes["dock"]} data-dock>
      {panels.map((panel) => {
        if (panel.kind === "asset") return <AssetPanel key={`asset-${panel.id}`} id={panel.id} />;
        if (panel.kind === "command") return <CommandPanel key={`command-${panel.id}`} id={panel.id} />;
        return <SelectionPanel key="selection" />;
      })}
    </aside>
  );
}
