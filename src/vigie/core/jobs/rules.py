"""Decisions on jobs, as pure functions: the life of one, pauses between tries, the next run."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from vigie.core.jobs.model import Job
from vigie.core.states import Machine

# `lose` is a lease that ended without a word; runners do it set-wise, in SQL that says the same.
JOB = Machine(
    "core.job",
    """
                claim    succeed  fail     give_up  lose     retry    cancel
    waiting     running  -        -        -        -        -        cancelled
    running     -        done     waiting  dead     waiting  -        -
    dead        -        -        -        .        -        waiting  cancelled
    done        -        .        -        -        -        -        -
    cancelled   -        -        -        -        -        -        .
    """,
)
MOST_PAYLOAD_BYTES = 64_000
MOST_KEY = 200
# Waiting longer than this although due: the runners do not keep up, or there is none.
LATE_S = 60.0


def backoff_s(attempt: int, first_s: float, longest_s: float, chance: float) -> float:
    """The pause after a failed attempt: doubling, at most `longest_s`, then shortened by up to a
    half by `chance` (0 to 1), so that what failed together does not come back together."""
    whole = min(first_s * 2.0 ** min(attempt - 1, 60), longest_s)
    return whole * (1.0 - chance / 2)


def next_run(job: Job, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first scheduled run after an instant; None for a job without a schedule.

    `every` counts from 1970, so that every process finds the same instants. A local time that a
    day does not have runs an hour later; one that it has twice runs the first time.
    """
    if job.every is not None:
        step = job.every.total_seconds()
        count = int(after.timestamp() // step) + 1
        return datetime.fromtimestamp(count * step, UTC)
    if job.daily is None:
        return None
    return next_daily(job.daily, after, zone)


def next_daily(at: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after another at which the city's clocks show a time of day."""
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        found = datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)
        if found > after:
            return found
        day += timedelta(days=1)
