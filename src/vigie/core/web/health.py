"""Is it alive, is it ready, and its figures: outside /api, for machines."""

import asyncio

import msgspec
from litestar import Response
from sqlalchemy import text

from vigie.core import metrics
from vigie.core.access.catalogue import PUBLIC, Permission
from vigie.core.errors import VigieError
from vigie.core.runtime import Runtime
from vigie.core.web.routes import get

PERMISSIONS = (
    Permission("core.metrics", "Read the figures of every process.", ("administrator", "auditor")),
)


class Alive(msgspec.Struct):
    """The process answers."""

    status: str = "ok"


class Ready(msgspec.Struct):
    """Whether requests can be served: each engine's state."""

    status: str
    database: str
    bus: str


@get("/healthz", permission=PUBLIC)
async def healthz() -> Alive:
    """The process is alive."""
    return Alive()


@get("/readyz", permission=PUBLIC)
async def readyz(runtime: Runtime) -> Response[Ready]:
    """The engines answer; 503 while one is away."""
    database = "ok"
    try:
        async with asyncio.timeout(2), runtime.database.unit() as unit:
            await unit.execute(text("select 1"))
    except (TimeoutError, VigieError):
        database = "down"
    bus = "ok" if runtime.bus.connected else "down"
    ok = database == bus == "ok"
    return Response(Ready("ok" if ok else "down", database, bus), status_code=200 if ok else 503)


@get("/metrics", permission="core.metrics", on_this_machine=True, media_type="text/plain")
async def read_metrics(runtime: Runtime) -> Response[str]:
    """Prometheus figures of every process; open to this machine, else for a bearer token."""
    return Response(metrics.render(runtime), media_type="text/plain; version=0.0.4; charset=utf-8")


ROUTES = [healthz, readyz, read_metrics]
