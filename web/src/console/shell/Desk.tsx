import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { Territory } from "../../shared/api/types";
import { useCommandEvents } from "../../rooms/control/events";
import { ListDrawer } from "../list/ListDrawer";
import { fetchAhead, useDesks } from "../frame/rooms";
import { useRoomTopics } from "../frame/topics";
import { useFilterOnMap } from "../list/filter";
import { LayerChips } from "../map/LayerChips";
import { MapView } from "../map/MapView";
import { useDesk } from "../state/desk";
import classes from "./Desk.module.css";
import { Dock } from "./Dock";
import { NotLive } from "./NotLive";
import { Rail } from "./Rail";
import { Sheets } from "./Sheets";
import { Shortcuts } from "./Shortcuts";
import { TopBar } from "./TopBar";
import { useAssetInAddress } from "./address";
import { useShortcuts } from "./shortcutKeys";

/** By then the map is drawn. */
const quietAfter = 4_000;

/** The room: bar above, rail at the left, the map always there, sheets and docks over it. */
export default function Desk({ territory }: { territory: Territory }) {
  const { t } = useTranslation();
  const drawer = useDesk((desk) => desk.drawer);
  const desks = useDesks();
  useEffect(() => {
    document.title = `${territory.name} · Vigie`;
  }, [territory]);
  useEffect(() => {
    const timer = setTimeout(() => fetchAhead(desks), quietAfter);
    return () => clearTimeout(timer);
  }, [desks]);
  useAssetInAddress();
  useShortcuts();
  useCommandEvents();
  useRoomTopics();
  useFilterOnMap();

  return (
    <div className={classes["desk"]}>
      <a className={classes["skip"]} href="#main">{t("shell.skip")}</a>
      <TopBar territory={territory} />
      <Rail />
      <main id="main" className={classes["main"]}>
        <div className={classes["table"]}>
          <MapView territory={territory} />
          <NotLive />
          <LayerChips synthetic={territory.synthetic} />
          <Sheets />
        </div>
        {drawer && <ListDrawer />}
      </main>
      <Dock />
      <Shortcuts />
    </div>
  );
}
