/** Deferred work: what waits, what runs, and what was given up on and can be tried again. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DetailPanel, DetailSection, Facts, ListPage, type ListQuery, ObjectJournal, Plain, StateBadge, Time, type Tone, VerbButton, savedViews } from "../../console/frame";
import { useFormat } from "../../console/state/server";
import { ifMatch } from "../../shared/api/client";
import { word } from "../../shared/i18n/words";
import { Failed, Loading } from "../../shared/ui/States";
import { visible } from "../../shared/visible";
import classes from "./System.module.css";
import { type JobRow, cancelJob, getJob, listJobKinds, listJobs, retryJob } from "./calls";

const key = ["jobs"];
const views = savedViews("jobs.jobs");
const id = (job: JobRow) => job.id;
const tones: Record<string, Tone> = { waiting: "quiet", running: "active", done: "done", dead: "critical", cancelled: "quiet" };

function State({ job }: { job: JobRow }) {
  return <StateBadge tone={tones[job.state] ?? "quiet"} word={word("jobState", job.state)} />;
}

function JobPanel({ id: asked }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const found = useQuery({ queryKey: [...key, asked], queryFn: () => getJob(asked), refetchInterval: 5_000 });
  if (!found.data) return found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />;
  const { job, payload, possible, request_id } = found.data;
  const again = () => void client.invalidateQueries({ queryKey: key });
  const match = ifMatch(job.version);
  return (
    <DetailPanel
      title={job.name} subtitle={<Time at={job.created} />} state={<State job={job} />} testId="job-detail"
      verbs={(
        <>
          {possible.includes("retry") && <VerbButton label={t("jobs.retry")} permission="core.jobs_operate" primary hotkey="t" needsLive={false} testId="job-retry" run={() => retryJob(job.id, match)} onDone={again} />}
          {possible.includes("cancel") && <VerbButton label={t("jobs.cancel")} permission="core.jobs_operate" hotkey="x" needsLive={false} testId="job-cancel" demands={{ confirm: t("jobs.cancelAsk") }} run={() => cancelJob(job.id, match)} onDone={again} />}
        </>
      )}
    >
      {job.error && <DetailSection title={t("jobs.error")}><Plain text={job.error} /></DetailSection>}
      <DetailSection title={t("jobs.facts")}>
        <Facts facts={[
          { label: t("jobs.tries"), value: t("jobs.triesOf", { attempt: format.number(job.attempt), tries: format.number(job.tries) }) },
          { label: t("jobs.due"), value: <Time at={job.due} as="exact" /> },
          ...(job.started ? [{ label: t("jobs.started"), value: <Time at={job.started} as="exact" /> }] : []),
          ...(job.ended ? [{ label: t("jobs.ended"), value: <Time at={job.ended} as="exact" /> }] : []),
          { label: t("jobs.request"), value: request_id },
        ]} />
      </DetailSection>
      {payload && Object.keys(payload).length > 0 && <DetailSection title={t("jobs.payload")}><Plain text={JSON.stringify(payload, null, 1)} /></DetailSection>}
      <ObjectJournal type="core.job" id={job.id} />
    </DetailPanel>
  );
}

/** Each kind that has something waiting, running or dead; quiet when there is none. */
function Figures() {
  const { t } = useTranslation();
  const format = useFormat();
  const kinds = useQuery({ queryKey: [...key, "kinds"], queryFn: listJobKinds, refetchInterval: 5_000 }).data ?? [];
  const busy = kinds.filter(({ waiting, running, dead }) => waiting + running + dead > 0);
  if (busy.length === 0) return null;
  return (
    <ul className={classes["figures"]} aria-label={t("jobs.figures")} data-testid="job-figures">
      {busy.map((kind) => (
        <li key={kind.name}>
          <b>{kind.name}</b> {t("jobs.counts", { waiting: format.number(kind.waiting), running: format.number(kind.running) })}
          {kind.dead > 0 && <StateBadge tone="critical" word={t("jobs.dead", { count: kind.dead })} />}
          {kind.late_s > 60 && <StateBadge tone="attention" word={t("jobs.late", { minutes: format.number(Math.round(kind.late_s / 60)) })} />}
        </li>
      ))}
    </ul>
  );
}

export default function JobsPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const load = useCallback((query: ListQuery) => listJobs(query), []);
  const columns = useMemo((): Column<JobRow>[] => [
    { key: "created", title: t("jobs.created"), width: "152px", sort: "created", cell: (job) => format.dateTime(job.created) },
    { key: "name", title: t("jobs.name"), width: "minmax(160px, 1fr)", sort: "name", cell: (job) => <span data-testid="job-row">{job.name}</span> },
    { key: "error", title: t("jobs.error"), width: "minmax(160px, 2fr)", from: 900, cell: (job) => visible(job.error ?? "") },
    { key: "tries", title: t("jobs.tries"), width: "90px", align: "end", sort: "attempt", from: 640, cell: (job) => `${format.number(job.attempt)} / ${format.number(job.tries)}` },
    { key: "due", title: t("jobs.due"), width: "152px", sort: "due", from: 760, cell: (job) => format.dateTime(job.due) },
    { key: "state", title: t("jobs.state"), width: "130px", cell: (job) => <State job={job} /> },
  ], [t, format]);
  return (
    <ListPage
      title={t("desk.jobs")} path="/jobs" queryKey={key} load={load} id={id} columns={columns} initialSort="-created" every={5_000} views={views}
      filter={{
        placeholder: t("jobs.filter"),
        chips: ["dead", "waiting", "running"].map((state) => ({ label: word("jobState", state), filter: `state:${state}` })),
        words: (field, value) => (field === "state" ? word("jobState", value) : null),
      }}
      exportHref={({ filter, sort }) => `/api/v1/jobs.xlsx?${new URLSearchParams({ filter, ...(sort ? { sort } : {}) }).toString()}`}
      queue={(job) => ({ title: job.name, line: visible(job.error ?? ""), age: <Time at={job.created} />, end: <State job={job} />, waits: job.state === "dead" })}
      detail={(job) => <JobPanel id={job} />} head={<Figures />} empty={t("jobs.empty")} emptyHint={t("jobs.emptyHint")}
    />
  );
}
