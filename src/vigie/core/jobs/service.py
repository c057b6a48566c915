"""Deferring work, and what people do with it: look, try again, cancel."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal, states
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.core.ids import uuid7
from vigie.core.jobs.listing import TABLE, shown
from vigie.core.jobs.model import Job, JobDetail, JobKind
from vigie.core.jobs.rules import JOB, MOST_KEY, MOST_PAYLOAD_BYTES
from vigie.core.journal import Change
from vigie.core.journal.service import json_text

WAKE = "jobs"

# A key that is open already keeps its job; another transaction that adds the same is waited for,
# one that runs it is not.
_DEFER = text(
    """
    insert into core.job
        (id, name, key, payload, due, tries, created, created_by, request_id)
    values (:id, :name, :key, cast(:payload as jsonb), :due, :tries, :now, :by, :request)
    on conflict (name, key) where key is not null and state in ('waiting', 'running')
    do nothing
    returning id
    """
)
_OPEN = text(
    "select id from core.job where name = :name and key = :key and state in ('waiting', 'running')"
)
_OTHER = text(
    "select o.id from core.job j join core.job o on o.name = j.name and o.key = j.key"
    " and o.state in ('waiting', 'running') where j.id = :id and j.state = 'dead'"
)
_ROW = (
    "select id, name, state, attempt, tries, due, created, started, ended, runner, error, version"
)
_SUMMARY = text(
    """
    with counted as (
        select name, state, count(*) as many,
            min(due) filter (where state = 'waiting') as oldest
        from core.job
        where state in ('waiting', 'running', 'dead')
        group by name, state
    )
    select coalesce(name, job) as name, next,
        coalesce(sum(many) filter (where state = 'waiting'), 0) as waiting,
        coalesce(sum(many) filter (where state = 'running'), 0) as running,
        coalesce(sum(many) filter (where state = 'dead'), 0) as dead,
        greatest(extract(epoch from :now - min(oldest)), 0) as late_s
    from counted
    full join core.schedule on job = name
    group by coalesce(name, job), next
    order by 1
    """
)


async def defer(
    unit: Unit,
    job: Job | str,
    payload: Any = None,
    *,
    at: datetime | None = None,
    key: str | None = None,
) -> UUID:
    """Have a job run after this transaction, not before `at`; its id.

    While a job of the same name and `key` waits or runs, that one is returned and nothing is added.
    Raises Invalid for a payload that is too large or does not fit, NotFound for a name that no
    room declares.
    """
    declared = _declared(unit, job)
    encoded = encoded_payload(declared, payload)
    if key is not None and not 0 < len(key) <= MOST_KEY:
        raise Invalid("job_key", f"A job's key has 1 to {MOST_KEY} characters.")
    now = clock.now()
    row = {
        "id": uuid7(), "name": declared.name, "key": key, "payload": encoded,
        "due": at or now, "tries": declared.tries, "now": now,
        "by": unit.principal.id, "request": unit.request_id,
    }  # fmt: skip
    unit.wake(WAKE)
    while True:
        # The open one may end between the two statements: then it is added after all.
        for statement in (_DEFER, _OPEN):
            if (found := (await unit.execute(statement, row)).scalar()) is not None:
                return found


def encoded_payload(job: Job, payload: Any) -> str:
    """A payload as its column keeps it. Raises Invalid when it does not fit the job."""
    content = msgspec.to_builtins({} if payload is None else payload)
    try:
        msgspec.convert(content, job.payload, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(
            "job_payload", f"{job.name} cannot be given this: {error}.", {"job": job.name}
        ) from error
    encoded = msgspec.json.encode(content)
    if len(encoded) > MOST_PAYLOAD_BYTES:
        raise Invalid(
            "job_payload_too_large",
            f"{job.name} is given {len(encoded)} bytes, at most {MOST_PAYLOAD_BYTES} are kept: "
            "store what is large, and pass its id.",
            {"job": job.name, "bytes": len(encoded), "most": MOST_PAYLOAD_BYTES},
        )
    return json_text(content)


async def read_job(unit: Unit, job: UUID) -> JobDetail:
    """One job. Raises NotFound."""
    found = await unit.execute(
        text(f"{_ROW}, key, created_by, request_id, payload from core.job where id = :id"),
        {"id": job},
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("object_not_found", f"There is no core.job {job}.",
                       {"type": JOB.name, "id": str(job)})  # fmt: skip
    scope = unit.house.catalogue.scope_for(unit.principal, "core.jobs_operate")
    operates = scope is not None and scope.everything
    possible = [v for v in JOB.verbs_from(row["state"]) if v in ("retry", "cancel")]
    return JobDetail(
        shown(unit, row), row["key"], row["created_by"], row["request_id"],
        row["payload"] if operates else None, possible,
    )  # fmt: skip


async def retry(unit: Unit, job: UUID, version: int | None = None) -> JobDetail:
    """Have a dead job tried again, from now and with as many tries as at first.

    Raises Conflict for one that is not dead."""
    taken = await unit.execute(_OTHER, {"id": job})
    if (other := taken.scalar()) is not None:
        raise Conflict(
            "job_key_open",
            f"Another job, {other}, is doing the same already: see how that one ends.",
            {"job": str(job), "other": str(other)},
        )
    done = await states.step(
        unit, JOB, TABLE, job, "retry", version=version, sets={"due": clock.now(), "ended": None}
    )
    declared: Job | None = unit.house.part("jobs").get(done.row["name"])
    await unit.execute(
        text("update core.job set held = null, tries = attempt + :tries where id = :id"),
        {"tries": declared.tries if declared else 1, "id": job},
    )
    await _record(unit, "core.job_retried", job, done)
    unit.wake(WAKE)
    return await read_job(unit, job)


async def cancel(unit: Unit, job: UUID, version: int | None = None) -> JobDetail:
    """Cancel a job that waits, or drop a dead one. Raises Conflict for one that runs."""
    done = await states.step(
        unit, JOB, TABLE, job, "cancel", version=version, sets={"ended": clock.now()}
    )
    if done.changed:
        await _record(unit, "core.job_cancelled", job, done)
    return await read_job(unit, job)


async def summary(unit: Unit) -> list[JobKind]:
    """How each kind of job is doing, those that only wait for their schedule included."""
    declared: dict[str, Job] = unit.house.part("jobs")
    found = await unit.execute(_SUMMARY, {"now": clock.now()})
    rows = {row.name: row for row in found}
    kinds = [
        JobKind(
            row.name, row.name in declared, int(row.waiting), int(row.running), int(row.dead),
            float(row.late_s or 0), row.next,
        )
        for row in rows.values()
    ]  # fmt: skip
    kinds += [JobKind(name, True, 0, 0, 0, 0.0, None) for name in declared if name not in rows]
    return sorted(kinds, key=lambda kind: kind.name)


def _declared(unit: Unit, job: Job | str) -> Job:
    if isinstance(job, Job):
        return job
    found: Job | None = unit.house.part("jobs").get(job)
    if found is None:
        raise NotFound(
            "job_unknown",
            f"No room runs the job {job}: its room is switched off, or the name is wrong.",
            {"job": job},
        )
    return found


async def _record(unit: Unit, act: str, job: UUID, done: states.Step) -> None:
    await journal.record(
        unit,
        act,
        params={"job": str(job), "name": done.row["name"]},
        changes=[Change(JOB.name, str(job), {"state": done.before}, {"state": done.after})],
    )
