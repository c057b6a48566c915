import { Anchor } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Asset, AssetRef } from "../../shared/api/types";
import { word } from "../../shared/i18n/words";
import { openAsset } from "../../console/state/desk";
import { useFormat, useMunicipality } from "../../console/state/server";
import classes from "./asset.module.css";
import { kindWord } from "./kindWords";

function Place({ topology }: { topology: Asset["topology"] }) {
  const { t } = useTranslation();
  const seen = new Map<number, AssetRef>();
  for (const ref of [...topology.ancestors].reverse()) seen.set(ref.id, ref);
  if (topology.parent) seen.set(topology.parent.id, topology.parent);
  const links = [...seen.values()].map((ref, i) => (
    <Fragment key={ref.id}>
      {i > 0 && " › "}
      <Anchor component="button" type="button" size="sm" onClick={() => openAsset(ref.id)} title={kindWord(ref.kind)}>{ref.name}</Anchor>
    </Fragment>
  ));
  return <>{links}{topology.feeder && `${links.length ? " › " : ""}${t("asset.feeder", { name: topology.feeder })}`}</>;
}

/** SI units of the attributes that importers write. */
const units: Record<string, string> = { power: "W", height: "m" };
const day = /^\d{4}-\d{2}-\d{2}/;

export function Identity({ asset }: { asset: Asset }) {
  const { t } = useTranslation();
  const format = useFormat();
  const municipality = useMunicipality();
  const { topology, gateway, lifecycle } = asset;
  const facts: [string, ReactNode][] = [
    [t("asset.token"), <span key="token" className={classes["mono"]}>{asset.token}</span>],
  ];
  if (asset.source_id) facts.push([t("asset.sourceId"), <span key="source" className={classes["mono"]}>{asset.source_id}</span>]);
  if (asset.street) facts.push([t("asset.street"), asset.street]);
  facts.push([t("asset.municipality"), asset.municipality ? municipality(asset.municipality) : t("asset.nowhere")]);
  facts.push([t("asset.position"), `${format.number(asset.point[1], 6)} ; ${format.number(asset.point[0], 6)}`]);
  if (topology.parent || topology.ancestors.length || topology.feeder) facts.push([t("asset.topology"), <Place key="place" topology={topology} />]);
  if (topology.children_count) facts.push([t("asset.children"), format.number(topology.children_count)]);
  if (gateway) facts.push([t("asset.gateway"), <><span className={classes["mono"]}>{gateway.token}</span> · {t(gateway.online ? "gateway.online" : "gateway.offline")}</>]);
  for (const [name, value] of Object.entries(lifecycle)) {
    if (value) facts.push([word("lifecycle", name), day.test(value) ? format.day(value) : value]);
  }
  for (const [name, value] of Object.entries(asset.attributes)) {
    if ((typeof value === "string" && value) || typeof value === "number") facts.push([word("attribute", name), typeof value === "number" ? format.quantity(value, units[name] ?? "") : value]);
  }
  return (
    <dl className={classes["facts"]}>
      {facts.map(([name, value], i) => <Fragment key={i}><dt>{name}</dt><dd>{value}</dd></Fragment>)}
    </dl>
  );
}
