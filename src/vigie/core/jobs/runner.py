"""Runs what is due: claim, run, record; what a killed worker held is claimed again.

One runner a process; any number of processes. A claim is a short transaction: it marks the rows as
running until a lease ends, which the runner renews while it works. Only the row's own attempt may
be recorded as done, so a worker that was frozen and wakes up too late changes nothing.
"""

import asyncio
import contextlib
import random
import traceback
from datetime import datetime
from typing import Any

import msgspec
from prometheus_client import Counter, Histogram
from sqlalchemy import text

from vigie.core import clock
from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.errors import Unavailable
from vigie.core.jobs import rules
from vigie.core.jobs.model import Claimed, GiveUp, Job
from vigie.core.jobs.service import WAKE, defer
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.tasks import end

log = logger(__name__)
RUNS = Counter("vigie_jobs_run", "Jobs run, by outcome.", ["job", "outcome"])
SECONDS = Histogram(
    "vigie_jobs_seconds",
    "How long a job ran.",
    ["job"],
    buckets=(0.01, 0.05, 0.2, 1, 5, 20, 60, 300),
)
IDLE_S = 2.0
KEPT_DAYS = {"done": 7, "cancelled": 30, "dead": 180}
_PRUNED_AT_ONCE = 5000

_MINE = "where id = :id and state = 'running' and attempt = :attempt and runner = :runner"
# ruff: noqa: S608
_DUE = text(
    """
    select name
    from unnest(cast(:names as text[])) as declared (name)
    where exists (
        select from core.job j
        where j.name = declared.name and j.state = 'waiting' and j.due <= :now
            and (j.held is null or j.held <= clock_timestamp())
    ) or exists (
        select from core.job j
        where j.name = declared.name and j.state = 'running' and j.held <= clock_timestamp()
    )
    """
)
# Claims of one name take turns, so that the bound on how many run at once holds in the whole house.
_TURN = text("select pg_advisory_xact_lock(7710431, hashtext(:name))")
_LOST = text(
    """
    update core.job
    set state = 'dead', ended = :now, version = version + 1, held = null,
        error = 'the worker ended in the middle of the last attempt'
    where id in (
        select id from core.job
        where name = :name and state = 'running' and held <= clock_timestamp() and attempt >= tries
        limit 100 for update skip locked
    )
    returning id, payload, error
    """
)
_CLAIM = text(
    """
    update core.job
    set state = 'running', attempt = attempt + 1, runner = :runner, started = :now,
        held = clock_timestamp() + make_interval(secs => :lease), version = version + 1
    where id in (
        select id from core.job
        where name = :name and (
            (state = 'waiting' and due <= :now and (held is null or held <= clock_timestamp()))
            or (state = 'running' and held <= clock_timestamp() and attempt < tries)
        )
        order by due
        limit least(:most, greatest(:concurrency - (
            select count(*) from core.job
            where name = :name and state = 'running' and held > clock_timestamp()
        ), 0))
        for update skip locked
    )
    returning id, name, payload, attempt, tries, key, created, request_id
    """
)
_RENEW = text(
    "update core.job set held = clock_timestamp() + make_interval(secs => :lease) " + _MINE
)
_LOCK = text("select id from core.job " + _MINE + " for update")
_DONE = text(
    "update core.job set state = 'done', ended = :now, held = null, payload = '{}', error = '',"
    " version = version + 1 " + _MINE
)
# The pause is in both times: `held` keeps it while a test's clock jumps, `due` lets the index pass
# over what failed a moment ago.
_FAILED = text(
    """
    update core.job
    set state = 'waiting', error = :error, version = version + 1,
        due = greatest(due, cast(:now as timestamptz) + make_interval(secs => :pause)),
        held = clock_timestamp() + make_interval(secs => :pause)
    """
    + _MINE
)
_DEAD = text(
    "update core.job set state = 'dead', ended = :now, held = null, error = :error,"
    " version = version + 1 " + _MINE
)
_RELEASE = text(
    "update core.job set state = 'waiting', held = null, version = version + 1,"
    " error = 'the worker was stopped in the middle' " + _MINE
)
_PRUNE = text(
    "delete from core.job where id in (select id from core.job"
    " where ended < cast(:now as timestamptz) - make_interval(days => :days)"
    " and state = :state order by ended limit :most for update skip locked)"
)


class Runner:
    """The jobs that one process runs."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.jobs: dict[str, Job] = runtime.house.part("jobs")
        self.running: dict[asyncio.Task[None], str] = {}
        self.wakeup = Wakeup()

    async def run(self) -> None:
        """Service: run what is due until stopped; what is interrupted is given back."""
        component = self.runtime.component("jobs")
        await self.wakeup.on(self.runtime.bus, f"wake.{WAKE}")
        try:
            while True:
                try:
                    await self.schedule()
                    await self.start_due()
                    component.set("ok")
                except Unavailable as error:
                    # What runs outside goes on: only claiming has to wait.
                    component.set("degraded", error.code)
                await self.wakeup.wait(IDLE_S)
        finally:
            await self.wakeup.close()
            await end(self.running)

    async def schedule(self) -> None:
        """Defer what the schedule says; whichever process comes first does it for all."""
        now = clock.now()
        planned = {
            job.name: following
            for job in self.jobs.values()
            if (following := rules.next_run(job, now, self.runtime.house.zone)) is not None
        }
        async with self.runtime.database.unit(request_id="jobs:schedule") as unit:
            for name in await self._due_by_schedule(unit, planned, now):
                # One at a time: a run that is still open is not joined by the next.
                await defer(unit, self.jobs[name], key="schedule")
                await unit.execute(
                    text("update core.schedule set next = :next, last = :now where job = :job"),
                    {"next": planned[name], "now": now, "job": name},
                )

    async def _due_by_schedule(
        self, unit: Unit, planned: dict[str, datetime], now: datetime
    ) -> list[str]:
        names = sorted(planned)
        parameters = {"jobs": names, "nexts": [planned[name] for name in names], "now": now}
        known = await unit.execute(
            text("select job, next from core.schedule where job = any(:jobs)"), parameters
        )
        rows: dict[str, datetime] = {row.job: row.next for row in known}
        if set(rows) != set(names):
            await unit.execute(
                text(
                    "insert into core.schedule (job, next) select * from"
                    " unnest(cast(:jobs as text[]), cast(:nexts as timestamptz[]))"
                    " on conflict do nothing"
                ),
                parameters,
            )
        # A plan that was changed to come sooner does so from its first day.
        if any(planned[name] < at for name, at in rows.items()):
            await unit.execute(
                text(
                    "update core.schedule s set next = least(s.next, p.next) from"
                    " unnest(cast(:jobs as text[]), cast(:nexts as timestamptz[])) as p (job, next)"
                    " where p.job = s.job"
                ),
                parameters,
            )
        if all(at > now for at in rows.values()):
            return []
        due = await unit.execute(
            text(
                "select job from core.schedule where job = any(:jobs) and next <= :now"
                " order by job for update skip locked"
            ),
            parameters,
        )
        return list(due.scalars())

    async def start_due(self) -> int:
        """Claim and start what is due and fits; how many were started."""
        running = list(self.running.values())
        free = {
            name: job.concurrency - running.count(name)
            for name, job in self.jobs.items()
            if running.count(name) < job.concurrency
        }
        async with self.runtime.database.unit() as unit:
            due = await unit.execute(_DUE, {"names": list(free), "now": clock.now()})
            names = list(due.scalars())
        started = 0
        for name in names:
            for claimed in await self.claim(self.jobs[name], free[name]):
                task = asyncio.create_task(self.work(self.jobs[name], claimed), name=f"job:{name}")
                self.running[task] = name
                task.add_done_callback(self._ended)
                started += 1
        return started

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.pop(task, None)
        self.wakeup.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease ends by itself: the database or we failed, not the job.
            log.error("job_not_recorded", task=task.get_name(), error=repr(error))

    async def claim(self, job: Job, most: int) -> list[Claimed]:
        """Take up to `most` jobs of a name, as far as the house's bound for it allows."""
        parameters = {
            "name": job.name, "most": most, "concurrency": job.concurrency,
            "runner": self.runtime.instance, "lease": job.lease_s, "now": clock.now(),
        }  # fmt: skip
        async with self.runtime.database.unit() as unit:
            await unit.execute(_TURN, parameters)
            for row in (await unit.execute(_LOST, parameters)).fetchall():
                RUNS.labels(job.name, "dead").inc()
                log.error("job_dead", job=job.name, id=str(row.id), error=row.error)
                await _bury(unit, job, row.payload, row.error)
            rows = (await unit.execute(_CLAIM, parameters)).mappings().all()
        return [Claimed(**row) for row in rows]

    async def work(self, job: Job, claimed: Claimed) -> None:
        """Run one claimed job and record how it ended."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            try:
                payload = msgspec.convert(claimed.payload, job.payload, strict=False)
            except msgspec.ValidationError as error:
                # Of an older or a newer Vigie: no try will mend it.
                raise GiveUp(f"the payload does not fit: {error}") from error
            claimed = msgspec.structs.replace(claimed, payload=payload)
            async with asyncio.timeout(job.timeout_s):
                if job.inside:
                    outcome = await self._inside(job, claimed)
                else:
                    outcome = await self._outside(job, claimed)
        except asyncio.CancelledError:
            await self._release(claimed)
            raise
        except Exception as error:
            outcome = await self._failed(job, claimed, error)
        RUNS.labels(job.name, outcome).inc()
        SECONDS.labels(job.name).observe(loop.time() - began)

    async def _inside(self, job: Job, claimed: Claimed) -> str:
        """Effect and completion in one transaction: the row's lock keeps others away."""
        async with self.runtime.database.unit(request_id=claimed.request_id) as unit:
            if (await unit.execute(_LOCK, self._mine(claimed))).scalar() is None:
                return _taken_over(claimed)
            await job.run(unit, claimed.payload)
            await unit.execute(_DONE, self._mine(claimed))
        return "done"

    async def _outside(self, job: Job, claimed: Claimed) -> str:
        renewing = asyncio.create_task(self._renew(job, claimed))
        try:
            await job.run(self.runtime, claimed)
        finally:
            await end([renewing])
        async with self.runtime.database.unit() as unit:
            done = await unit.execute(_DONE, self._mine(claimed))
        return "done" if done.rowcount else _taken_over(claimed)

    async def _renew(self, job: Job, claimed: Claimed) -> None:
        while True:
            await asyncio.sleep(job.lease_s / 3)
            with contextlib.suppress(Unavailable):
                async with self.runtime.database.unit() as unit:
                    await unit.execute(_RENEW, {**self._mine(claimed), "lease": job.lease_s})

    async def _failed(self, job: Job, claimed: Claimed, error: Exception) -> str:
        written = _sentence(error, job.timeout_s)
        dead = claimed.last or isinstance(error, GiveUp)
        log.warning("job_dead" if dead else "job_failed", job=job.name, id=str(claimed.id),
                    attempt=claimed.attempt, error=written)  # fmt: skip
        pause = rules.backoff_s(
            claimed.attempt, job.first_pause_s, job.longest_pause_s, random.random()  # noqa: S311
        )  # fmt: skip
        async with self.runtime.database.unit(request_id=claimed.request_id) as unit:
            changed = await unit.execute(
                _DEAD if dead else _FAILED,
                {**self._mine(claimed), "error": written, "pause": pause},
            )
            if not changed.rowcount:
                return _taken_over(claimed)
            if dead:
                await _bury(unit, job, claimed.payload, written)
        return "dead" if dead else "failed"

    async def _release(self, claimed: Claimed) -> None:
        with contextlib.suppress(Exception):
            async with self.runtime.database.unit() as unit:
                await unit.execute(_RELEASE, self._mine(claimed))

    def _mine(self, claimed: Claimed) -> dict[str, Any]:
        return {
            "id": claimed.id,
            "attempt": claimed.attempt,
            "runner": self.runtime.instance,
            "now": clock.now(),
        }


async def _bury(unit: Unit, job: Job, payload: Any, error: str) -> None:
    """Tell the room that its job is given up on; that this fails must not bring it back."""
    if job.on_dead is None:
        return
    try:
        async with unit.attempt():
            await job.on_dead(unit, msgspec.convert(payload, job.payload, strict=False,
                                                    from_attributes=True), error)  # fmt: skip
    except Exception:
        log.exception("job_on_dead_failed", job=job.name)


def _taken_over(claimed: Claimed) -> str:
    log.warning("job_taken_over", job=claimed.name, id=str(claimed.id), attempt=claimed.attempt)
    return "taken_over"


def _sentence(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"TimeoutError: longer than {timeout_s:g} s"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}".replace("\0", "")[:2000]


async def prune(unit: Unit, _payload: Any) -> None:
    """Forget jobs that ended long ago, a bounded number at once."""
    for state, days in KEPT_DAYS.items():
        await unit.execute(
            _PRUNE,
            {"now": clock.now(), "days": days, "state": state, "most": _PRUNED_AT_ONCE},
        )
