import "maplibre-gl/dist/maplibre-gl.css";
import { UnstyledButton } from "@mantine/core";
import { Minus, Plus } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Territory } from "../../shared/api/types";
import { usePalette } from "../state/theme";
import { useSession } from "../session/session";
import { lights } from "../state/live";
import { kindsQuery, usePromise } from "../state/server";
import { AssetTip, type Tip } from "./AssetTip";
import classes from "./MapView.module.css";
import { getMap, zoomBy } from "./controller";
import { createCityMap, hasGraphics } from "./cityMap";
import { promiseOf, useLayers } from "./layers";

export function MapView({ territory }: { territory: Territory }) {
  const { t } = useTranslation();
  const host = useRef<HTMLDivElement>(null);
  const promise = usePromise();
  const promiseNow = useRef(promise);
  const { grants } = useSession();
  const ownOnly = !grants.some(({ municipality }) => municipality === "*");
  const palette = usePalette();
  const [tip, setTip] = useState<Tip | null>(null);
  const [graphics] = useState(hasGraphics);
  const kinds = useQuery(kindsQuery).data;
  useEffect(() => {
    if (!kinds) return;
    lights.setPromises(kinds.map((kind) => [kind.name, promiseOf(kind)] as const));
    useLayers.getState().setKinds(kinds);
  }, [kinds]);
  useEffect(() => {
    promiseNow.current = promise;
  }, [promise]);

  useEffect(() => {
    if (!host.current || !graphics) return;
    return createCityMap({
      host: host.current, territory, promise: () => promiseNow.current, ownOnly, palette, boxClass: classes["box"] ?? "", onTip: setTip,
    });
  }, [territory, graphics, ownOnly, palette]);

  useEffect(() => getMap()?.getCanvas().setAttribute("aria-label", t("map.keys")), [t]);

  return (
    <div className={classes["map"]} data-testid="map" role="region" aria-label={t("map.label")}>
      <div ref={host} className={classes["host"]} />
      {tip && <AssetTip tip={tip} />}
      <div className={classes["zoom"]}>
        <UnstyledButton aria-label={t("map.zoomIn")} title={t("map.zoomIn")} onClick={() => zoomBy(1)}><Plus size={16} /></UnstyledButton>
        <UnstyledButton aria-label={t("map.zoomOut")} title={t("map.zoomOut")} onClick={() => zoomBy(-1)}><Minus size={16} /></UnstyledButton>
      </div>
      {!graphics && <p className={classes["broken"]} role="alert">{t("map.noGraphics")}</p>}
    </div>
  );
}
