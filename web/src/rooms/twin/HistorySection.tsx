import { SegmentedControl, Select } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { getHistory } from "./calls";
import type { Asset, KindSpec } from "../../shared/api/types";
import { Empty, Failed, Loading } from "../../shared/ui/States";
import { Section } from "../../console/shell/Panel";
import { connection } from "../../console/state/live";
import classes from "./asset.module.css";
import { pointWord } from "./kindWords";
import { firstPoint } from "./state";

const Chart = lazy(() => import("./Chart"));
const hour = 3_600_000;
const spans = { hour, day: 24 * hour, week: 168 * hour } as const;
type Range = keyof typeof spans;
const ranges: readonly Range[] = ["hour", "day", "week"];
const points = 500;

export function HistorySection({ asset, kind }: { asset: Asset; kind: KindSpec }) {
  const { t } = useTranslation();
  const [metric, setMetric] = useState(() => firstPoint(kind));
  const [range, setRange] = useState<Range>("day");
  const span = spans[range];
  const history = useQuery({
    queryKey: ["history", asset.id, metric, range],
    queryFn: () => {
      const to = connection.now();
      return getHistory(asset.id, { metric, from: new Date(to - span).toISOString(), to: new Date(to).toISOString(), points });
    },
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });
  const spec = kind.metrics.find(({ name }) => name === history.data?.metric);
  const data = history.data;
  const chooser = (
    <Select
      size="xs" w={148} aria-label={t("asset.metric")} value={metric} onChange={(value) => setMetric(value ?? metric)}
      data={kind.metrics.map(({ name }) => ({ value: name, label: pointWord(kind.name, name) }))}
    />
  );
  const period = (
    <SegmentedControl
      size="xs" aria-label={t("asset.range.label")} value={range} onChange={(value) => setRange(value)}
      data={ranges.map((value) => ({ value, label: t(`asset.range.${value}`) }))}
    />
  );
  return (
    <Section title={t("asset.history")} end={<span className={classes["choosers"]}>{period}{chooser}</span>}>
      {history.isError && !data ? <Failed error={history.error} retry={() => void history.refetch()} />
        : !data ? <Loading rows={5} />
        : data.t.length === 0 ? <Empty title={t("asset.noHistory")} />
        : (
          <Suspense fallback={<Loading rows={5} />}>
            {spec && <Chart history={data} span={span} kind={kind.name} spec={spec} stepped={spec.kind !== "number" || Object.values(kind.functions).includes(spec.name)} />}
            <div className={classes["chartNote"]}>
              <span>{t(data.resolution === "raw" ? "asset.raw" : "asset.rolled", { resolution: data.resolution })}</span>
            </div>
          </Suspense>
        )}
    </Section>
  );
}
