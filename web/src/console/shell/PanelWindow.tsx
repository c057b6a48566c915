import { useEffect } from "react";
import { useLocation } from "wouter";
import { useDesk } from "../state/desk";
import { useLink } from "../state/bus";
import classes from "./PanelWindow.module.css";
import { Dock } from "./Dock";
import { LinkButton } from "./LinkButton";
import { LiveIndicator } from "./LiveIndicator";
import { NotLive } from "./NotLive";
import { useHollowWhenNotLive } from "./hollow";
import { panelInAddress, useWindows } from "./windows";

/** A torn-off panel: nothing but it, live, and unlinked until its person links it. */
export default function PanelWindow() {
  const [path] = useLocation();
  useEffect(() => {
    useLink.getState().setLinked(false);
    const panel = panelInAddress(path);
    if (panel) useDesk.getState().openPanel(panel);
    document.title = "Vigie";
  }, [path]);
  useHollowWhenNotLive();
  useWindows();
  return (
    <main className={classes["window"]} data-testid="panel-window">
      <header className={classes["head"]}><LinkButton /><LiveIndicator /></header>
      <NotLive />
      <Dock />
    </main>
  );
}
