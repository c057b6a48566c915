"""Deferred work over HTTP: what waits, runs and was given up on."""

from uuid import UUID

from vigie.core import states
from vigie.core.database import Unit
from vigie.core.jobs import service
from vigie.core.jobs.listing import LIST
from vigie.core.jobs.model import JobDetail, JobKind
from vigie.core.web import IfMatch, get, post


@get("/jobs/kinds", permission="core.jobs_read")
async def list_job_kinds(unit: Unit) -> list[JobKind]:
    """Each kind of job: how many wait, run and are dead, how late, and its schedule."""
    return await service.summary(unit)


@get("/jobs/{job_id:uuid}", permission="core.jobs_read")
async def read_job(unit: Unit, job_id: UUID) -> JobDetail:
    """One job, what may be done with it, and what it was given if you may operate jobs."""
    return await service.read_job(unit, job_id)


@post("/jobs/{job_id:uuid}/retry", permission="core.jobs_operate")
async def retry_job(unit: Unit, job_id: UUID, if_match: IfMatch = None) -> JobDetail:
    """Have a dead job tried again, now."""
    return await service.retry(unit, job_id, states.version(if_match))


@post("/jobs/{job_id:uuid}/cancel", permission="core.jobs_operate")
async def cancel_job(unit: Unit, job_id: UUID, if_match: IfMatch = None) -> JobDetail:
    """Cancel a job that waits, or drop a dead one."""
    return await service.cancel(unit, job_id, states.version(if_match))


ROUTES = [
    *LIST.routes("/jobs", permission="core.jobs_read"),
    list_job_kinds,
    read_job,
    retry_job,
    cancel_job,
]
