import { Button, SegmentedControl, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Section } from "../../console/shell/Panel";
import type { RangeName } from "../../console/state/range";
import { useFormat, useTerritory } from "../../console/state/server";
import { type Chosen, spanOf, useTime } from "../../console/state/time";
import type { Asset, KindSpec, MetricSpec } from "../../shared/api/types";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import classes from "./asset.module.css";
import { getHistory, search } from "./calls";
import { pointWord, unitWord, valueWord } from "./kindWords";

const Chart = lazy(() => import("../../console/charts/TimeChart"));
const ranges = ["hour", "day", "night", "week"] as const satisfies readonly RangeName[];
const points = 500;
/** It is set, not measured: it holds until it is set anew. */
const isSet = (kind: KindSpec, spec: MetricSpec): boolean => spec.kind !== "number" || Object.values(kind.functions).includes(spec.name);
const boundsOf = (spec: MetricSpec): readonly [number, number] | undefined => (spec.kind !== "number" ? [0, Math.max(1, spec.words.length - 1)] : spec.unit === "%" ? [spec.min, spec.max] : undefined);
/** The values that have a word: yes and no, or each choice. */
const namedOf = ({ kind, words }: MetricSpec): number | undefined => (kind === "number" ? undefined : kind === "choice" ? words.length : 2);

export const historyPlace = (asset: number): string => `history-${asset}`;

function useHistory(asset: number | null, metric: string, chosen: Chosen) {
  const zone = useTerritory()?.time_zone ?? "Europe/Paris";
  return useQuery({
    queryKey: ["history", asset, metric, chosen],
    queryFn: async () => {
      const span = spanOf(chosen, zone);
      const history = await getHistory(asset ?? 0, { metric, from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString(), points });
      return { ...history, span };
    },
    enabled: asset !== null && metric !== "",
    // What is over does not change.
    refetchInterval: chosen.name === "custom" || chosen.name === "yesterday" ? false : 30_000,
    placeholderData: keepPreviousData,
  });
}

interface Other {
  id: number;
  name: string;
}

/** Another piece of equipment, by its name. */
function ChooseOther({ self, onChoose }: { self: number; onChoose: (other: Other | null) => void }) {
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [asked] = useDebouncedValue(words.trim(), 200);
  const found = useQuery({ queryKey: ["search", asked], queryFn: ({ signal }) => search(asked, signal), enabled: asked.length > 0, placeholderData: keepPreviousData });
  const items = (found.data?.items ?? []).filter(({ type, id }) => type === "asset" && Number(id) !== self);
  return (
    <Select
      size="xs" searchable autoFocus clearable aria-label={t("chart.compareWith")} placeholder={t("chart.compareWith")} data-testid="compare-with" nothingFoundMessage={asked ? t("bar.nothing", { words: asked }) : undefined}
      searchValue={words} onSearchChange={setWords} data={items.map(({ id, label }) => ({ value: String(id), label }))} filter={({ options }) => options}
      onChange={(value) => {
        const item = items.find(({ id }) => String(id) === value);
        onChoose(item ? { id: Number(item.id), name: item.label } : null);
      }}
    />
  );
}

/** How a value came to be what it is: over the range that the whole console looks at, beside another's where that helps. */
export function HistorySection({ asset, kind, point, onPoint }: { asset: Asset; kind: KindSpec; point: string; onPoint: (point: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { chosen, choose } = useTime();
  const [comparing, setComparing] = useState(false);
  const [other, setOther] = useState<Other | null>(null);
  const history = useHistory(asset.id, point, chosen);
  const beside = useHistory(other?.id ?? null, point, chosen);
  const data = history.data;
  const second = other ? beside.data : undefined;
  const spec = kind.metrics.find(({ name }) => name === (data?.metric ?? point));
  const lines = useMemo(
    () => [...(data ? [{ label: asset.name, t: data.t, v: data.v }] : []), ...(second && other ? [{ label: other.name, t: second.t, v: second.v }] : [])],
    [data, second, other, asset.name],
  );
  const say = useCallback((value: number) => (spec ? valueWord(kind.name, spec, value, format) : format.number(value)), [kind.name, spec, format]);
  return (
    <div id={historyPlace(asset.id)}>
      <Section title={t("asset.history")} end={chosen.name === "custom" || chosen.name === "yesterday" ? <span className={classes["note"]}>{data && format.span(data.span.from, data.span.to)}</span> : null}>
        <span className={classes["choosers"]}>
          <SegmentedControl
            size="xs" aria-label={t("asset.range.label")} value={chosen.name} onChange={(name) => choose({ name: name as RangeName })}
            data={ranges.map((value) => ({ value, label: t(`time.${value}`) }))}
          />
          <Select
            size="xs" flex={1} miw={110} aria-label={t("asset.metric")} value={point} onChange={(value) => onPoint(value ?? point)} data-testid="history-metric"
            data={kind.metrics.map(({ name }) => ({ value: name, label: pointWord(kind.name, name) }))}
          />
        </span>
        {history.isError && !data ? <Failed error={history.error} retry={() => void history.refetch()} />
          : !data ? <Loading rows={5} />
          : data.t.length === 0 && !second ? <Empty title={t("asset.noHistory")} />
          : (
            <Suspense fallback={<Loading rows={5} />}>
              <Chart
                title={pointWord(kind.name, data.metric)} lines={lines} unit={unitWord(data.unit)} from={data.span.from} to={data.span.to} say={say}
                stepped={spec !== undefined && isSet(kind, spec)} bounds={spec && boundsOf(spec)} named={spec && namedOf(spec)} promise={spec?.promise_s ?? null} raw={data.resolution === "raw"}
              />
              <div className={classes["chartNote"]}>
                {comparing ? <ChooseOther self={asset.id} onChoose={setOther} /> : (
                  <Button size="compact-xs" variant="subtle" color="gray" data-testid="compare" onClick={() => setComparing(true)}>{t("chart.compare")}</Button>
                )}
                <span>{t(data.resolution === "raw" ? "asset.raw" : "asset.rolled", { resolution: data.resolution })}</span>
              </div>
            </Suspense>
          )}
      </Section>
    </div>
  );
}
