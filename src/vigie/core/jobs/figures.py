"""How deferred work is doing: figures for Prometheus, health for the system page."""

import asyncio

from prometheus_client import Gauge

from vigie.core.jobs.model import JobKind
from vigie.core.jobs.rules import LATE_S
from vigie.core.jobs.service import summary
from vigie.core.runtime import Component, Runtime

EVERY_S = 5.0
# Every process of the role reports the same: they are counted in the database.
JOBS = Gauge("vigie_jobs", "Jobs of the whole house, by state.", ["job", "state"])
LATE = Gauge("vigie_jobs_late_seconds", "How long the first job due has waited.", ["job"])


async def watch(runtime: Runtime) -> None:
    """Service: count, and say what is wrong."""
    component = runtime.component("job-queue")
    while True:
        async with runtime.database.unit() as unit:
            kinds = await summary(unit)
        for kind in kinds:
            JOBS.labels(kind.name, "waiting").set(kind.waiting)
            JOBS.labels(kind.name, "running").set(kind.running)
            JOBS.labels(kind.name, "dead").set(kind.dead)
            LATE.labels(kind.name).set(kind.late_s)
        assess(component, kinds)
        await asyncio.sleep(EVERY_S)


def assess(component: Component, kinds: list[JobKind]) -> None:
    """Degraded while something is dead or late; a room that is off is nobody's fault."""
    params = {
        "waiting": sum(kind.waiting for kind in kinds),
        "running": sum(kind.running for kind in kinds),
        "dead": sum(kind.dead for kind in kinds),
        "late_s": round(max((kind.late_s for kind in kinds if kind.declared), default=0.0)),
    }
    if params["late_s"] > LATE_S:
        component.set("degraded", "jobs_late", **params)
    elif params["dead"]:
        component.set("degraded", "jobs_dead", **params)
    else:
        component.set("ok", "", **params)
