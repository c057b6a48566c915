import { useMediaQuery } from "@mantine/hooks";
import { Suspense, lazy, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useCommandEvents } from "../../rooms/control/events";
import type { Territory } from "../../shared/api/types";
import { size } from "../../shared/tokens";
import { isAt } from "../frame/room";
import { fetchAhead, useDesks } from "../frame/rooms";
import { useRoomTopics } from "../frame/topics";
import { useFilterOnMap } from "../list/filter";
import { LayerChips } from "../map/LayerChips";
import { Map } from "../map/Map";
import { useDesk } from "../state/desk";
import classes from "./Desk.module.css";
import { Dock } from "./Dock";
import { NotLive } from "./NotLive";
import { Rail } from "./Rail";
import { Sheets } from "./Sheets";
import { Tabs } from "./Tabs";
import { TimeBar } from "./TimeBar";
import { TopBar } from "./TopBar";
import { TourBand } from "./TourBand";
import { useAssetInAddress } from "./address";
import { useHollowWhenNotLive } from "./hollow";
import { useShortcuts } from "./shortcutKeys";
import { apply, takeHandedOver, useWindows } from "./windows";

/** Fetched once the map is on its way; before the server can be gone. */
const drawerPart = () => import("../list/ListDrawer").then(({ ListDrawer }) => ({ default: ListDrawer }));
const helpPart = () => import("./Shortcuts").then(({ Shortcuts }) => ({ default: Shortcuts }));
const ListDrawer = lazy(drawerPart);
const Shortcuts = lazy(helpPart);

/** By then the map is drawn. */
const quietAfter = 4_000;

/** The room: bar above, rail at the left, time below; between them desk, map and dock side by side, and nothing over another. */
export default function Desk({ territory }: { territory: Territory }) {
  const { t } = useTranslation();
  const [path] = useLocation();
  const drawer = useDesk((desk) => desk.drawer);
  const tab = useDesk((desk) => desk.tab);
  const help = useDesk((desk) => desk.shortcuts);
  const open = useDesk((desk) => desk.panels.length > 0);
  const desks = useDesks();
  const narrow = useMediaQuery(`(max-width: ${size.narrow - 1}px)`, undefined, { getInitialValueInEffect: false });
  useEffect(() => {
    document.title = `${territory.name} · Vigie`;
  }, [territory]);
  useEffect(() => {
    const timer = setTimeout(() => {
      fetchAhead(desks);
      for (const part of [drawerPart, helpPart]) part().catch(() => undefined);
    }, quietAfter);
    return () => clearTimeout(timer);
  }, [desks]);
  // Whoever goes to a desk wants to see it, where one thing at a time is shown.
  useEffect(() => useDesk.getState().set({ tab: path === "/" ? "map" : "list" }), [path]);
  useAssetInAddress();
  useShortcuts();
  useCommandEvents();
  useRoomTopics();
  useFilterOnMap();
  useHollowWhenNotLive();
  useWindows();
  const [, navigate] = useLocation();
  useEffect(() => {
    const kept = takeHandedOver();
    if (kept) apply(kept, navigate);
  }, [navigate]);

  const desk = desks.find((candidate) => isAt(candidate, path));
  const shown = tab === "object" && !open ? "map" : tab;
  return (
    <div className={classes["desk"]} data-narrow={narrow || undefined} data-tab={narrow ? shown : undefined}>
      <a className={classes["skip"]} href="#main">{t("shell.skip")}</a>
      <TopBar territory={territory} />
      <Rail />
      {narrow && <Tabs shown={shown} desk={desk} />}
      <main id="main" className={classes["main"]} tabIndex={-1}>
        <NotLive />
        <TourBand />
        <div className={classes["table"]} data-group={desk?.group ?? "none"}>
          <Sheets />
          <div className={classes["map"]} data-pane="map">
            <Map territory={territory} />
            <LayerChips synthetic={territory.synthetic} />
          </div>
        </div>
        {(drawer || (narrow && shown === "list" && path === "/")) && <Suspense><ListDrawer /></Suspense>}
      </main>
      <Dock />
      <TimeBar />
      {help && <Suspense><Shortcuts /></Suspense>}
    </div>
  );
}
