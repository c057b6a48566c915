import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type CSSProperties, Suspense, lazy, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { getAsset, getHistory } from "../../rooms/twin/calls";
import type { Bbox, Territory } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { useRows } from "../../shared/live/live";
import { Shape } from "../../shared/ui/Shape";
import { Map } from "../map/Map";
import { showBox } from "../map/controller";
import { type WallTile, getWall, tileOf } from "../own/calls";
import { wallName } from "../own/wall";
import { useHollowWhenNotLive } from "../shell/hollow";
import { useCounters, useLiveStatus, useNow } from "../state/live";
import { useFormat, useKind, useMunicipality, usePromise } from "../state/server";
import classes from "./Wall.module.css";
import { typeOf } from "./scale";

const Chart = lazy(() => import("../charts/TimeChart"));
const hour = 3_600_000;

function Clock() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const { live, lag, since } = useLiveStatus();
  return (
    <header className={classes["clock"]}>
      <time className={classes["time"]}>{format.clock(now)}</time>
      <span className={classes["quiet"]}>
        {format.weekday(now)}<br />
        {live ? `${t("live.live")} ${lag === null ? "" : format.lag(lag)}` : since === null ? t("live.joining") : <strong className={classes["lost"]}>{t("live.lost", { since: format.time(since) })}</strong>}
      </span>
    </header>
  );
}

function Counters() {
  const { t } = useTranslation();
  const format = useFormat();
  const counters = useCounters(usePromise());
  const faults = (["supply", "lamp", "fault", "unexpected", "silent"] as const).filter((name) => counters[name] > 0);
  return (
    <section className={classes["figures"]}>
      <div><strong>{format.number(counters.normal)}</strong><span>{t("wall.lights")}</span></div>
      {faults.map((name) => (
        <div key={name}><strong><Shape condition={name} size={26} />{format.number(counters[name])}</strong><span>{t(`condition.${name}`)}</span></div>
      ))}
    </section>
  );
}

const mostCommands = 5;

function Commands() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const open = useRows("control.commands").list;
  return (
    <section>
      <h2>{t("wall.underWay")}</h2>
      {open.length === 0 && <p className={classes["quiet"]}>{t("wall.none")}</p>}
      {open.slice(0, mostCommands).map((command) => (
        <div key={command.id} className={classes["row"]}>
          <span>{t("command.title", { count: command.total, n: format.number(command.total), level: format.percent(command.params["level"] ?? 0) })}</span>
          <span className={classes["quiet"]}>{format.age((now - Date.parse(command.requested_at)) / 1000)}</span>
        </div>
      ))}
      {open.length > mostCommands && <p className={classes["quiet"]}>{t("wall.more", { n: format.number(open.length - mostCommands) })}</p>}
    </section>
  );
}

function Asset({ id }: { id: number }) {
  const format = useFormat();
  const municipality = useMunicipality();
  const now = useNow() / 1000;
  const { t } = useTranslation();
  const asset = useQuery({ queryKey: ["asset", id], queryFn: () => getAsset(id), placeholderData: keepPreviousData, refetchInterval: 5_000 });
  const kind = useKind(asset.data?.kind ?? "");
  if (!asset.data) return null;
  const { name, street, municipality: place, state } = asset.data;
  return (
    <section>
      <h2>{name}</h2>
      <p className={classes["quiet"]}>{[street, place && municipality(place)].filter(Boolean).join(" · ")}</p>
      {Object.entries(state).map(([metric, value]) => {
        const spec = kind?.metrics.find((one) => one.name === metric);
        const shown = value.value === null ? "–" : spec?.kind === "flag" ? t(value.value ? "asset.yes" : "asset.no") : format.quantity(value.value, spec?.unit ?? value.unit);
        return (
          <div key={metric} className={classes["row"]}>
            <span className={classes["quiet"]}>{word("metric", metric)}</span>
            <span>{shown} {value.at && <span className={classes["quiet"]}>{format.age(now - Date.parse(value.at) / 1000)}</span>}</span>
          </div>
        );
      })}
    </section>
  );
}

function ChartTile({ asset, metric, type }: { asset: number; metric: string; type: number }) {
  const found = useQuery({ queryKey: ["asset", asset], queryFn: () => getAsset(asset) });
  const history = useQuery({
    queryKey: ["history", asset, metric, "wall"],
    queryFn: async () => {
      const to = Date.now();
      return { ...(await getHistory(asset, { metric, from: new Date(to - 12 * hour).toISOString(), to: new Date(to).toISOString(), points: 500 })), span: { from: to - 12 * hour, to } };
    },
    refetchInterval: 30_000,
  });
  const data = history.data;
  const lines = useMemo(() => (data ? [{ label: found.data?.name ?? "", t: data.t, v: data.v }] : []), [data, found.data?.name]);
  if (!data) return null;
  return (
    <section>
      <h2>{word("metric", metric)} · {found.data?.name}</h2>
      <Suspense><Chart title={word("metric", metric)} lines={lines} unit={data.unit} from={data.span.from} to={data.span.to} promise={null} raw={data.resolution === "raw"} height={type * 9} fontSize={type} /></Suspense>
    </section>
  );
}

function Tile({ tile, type }: { tile: WallTile; type: number }) {
  switch (tile.kind) {
    case "counters": return <Counters />;
    case "commands": return <Commands />;
    case "asset": return typeof tile.asset === "number" ? <Asset id={tile.asset} /> : null;
    case "chart": return typeof tile.asset === "number" ? <ChartTile asset={tile.asset} metric={tile.metric} type={type} /> : null;
    case "text": return <section><p>{tile.text}</p></section>;
    case "map": return null;
  }
}

/** What nobody has sent anything to shows the city and its counters. */
const atFirst: WallTile[] = [tileOf("map"), tileOf("counters"), tileOf("commands")];

/** The wall: read only, without chrome, its tiles chosen from a desk, its type as large as the distance asks. */
export default function Wall({ territory }: { territory: Territory }) {
  const { t } = useTranslation();
  useHollowWhenNotLive();
  const given = new URLSearchParams(location.search);
  const name = given.get("name") ?? wallName;
  const type = typeOf(window.innerHeight, Number(given.get("distance") ?? 1));
  const asked = useQuery({ queryKey: ["wall", name], queryFn: () => getWall(name), refetchInterval: 60_000 });
  const shown = useRows("desk.walls").byId.get(name) ?? asked.data;
  const tiles = shown && shown.tiles.length > 0 ? shown.tiles : atFirst;
  const map = tiles.find(({ kind }) => kind === "map");
  const view = JSON.stringify(map?.view ?? null);
  useEffect(() => {
    const box = JSON.parse(view) as Bbox | null;
    // Once the map stands.
    const timer = setTimeout(() => box && showBox(box, 20), 800);
    return () => clearTimeout(timer);
  }, [view]);
  return (
    <main className={classes["wall"]} style={{ "--type": `${type}px` } as CSSProperties} aria-label={t("wall.title")} data-testid="wall" data-tiles={tiles.map(({ kind }) => kind).join(" ")}>
      {map && <div className={classes["map"]} inert><Map territory={territory} /></div>}
      <div className={classes["side"]}>
        <Clock />
        {tiles.filter(({ kind }) => kind !== "map").map((tile, i) => <Tile key={i} tile={tile} type={type} />)}
      </div>
    </main>
  );
}
