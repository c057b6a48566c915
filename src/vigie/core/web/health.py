"""Is it alive, is it ready, and its figures: outside /api, for machines."""

import asyncio
import shutil
from weakref import WeakKeyDictionary

import msgspec
from litestar import Response
from sqlalchemy import text

from vigie.core import metrics
from vigie.core.access.model import NOBODY, Caller
from vigie.core.database import Database
from vigie.core.errors import Forbidden, VigieError
from vigie.core.permissions import PUBLIC, Catalogue, Permission
from vigie.core.runtime import Runtime
from vigie.core.scope import NOTHING
from vigie.core.web.routes import get

# Below it the database and the broker soon cannot write; devices are refused from here on too.
LEAST_FREE_BYTES = 256 * 2**20
_looks: "WeakKeyDictionary[Database, asyncio.Task[str]]" = WeakKeyDictionary()

PERMISSIONS = (
    Permission("core.metrics", "Read the figures of every process.", ("administrator", "auditor")),
)


class Alive(msgspec.Struct):
    """The process answers."""

    status: str = "ok"


class Ready(msgspec.Struct):
    """Whether requests can be served: each engine's state, and whether the disk has room."""

    status: str
    database: str
    bus: str
    disk: str


@get("/healthz", permission=PUBLIC)
async def healthz() -> Alive:
    """The process is alive."""
    return Alive()


@get("/readyz", permission=PUBLIC)
async def readyz(runtime: Runtime) -> Response[Ready]:
    """The engines answer and the disk has room; 503 while one is away or the disk is full."""
    database = await _database(runtime.database)
    bus = "ok" if runtime.bus.connected else "down"
    disk = _disk(runtime)
    ok = database == bus == disk == "ok"
    return Response(
        Ready("ok" if ok else "down", database, bus, disk), status_code=200 if ok else 503
    )


async def _database(database: Database) -> str:
    """One look at a time, shared by all who ask meanwhile: strangers may ask, and each look holds
    a connection that an act may need."""
    look = _looks.get(database)
    if look is None or look.done():
        look = _looks[database] = asyncio.create_task(_look(database))
    return await asyncio.shield(look)


async def _look(database: Database) -> str:
    try:
        async with asyncio.timeout(2), database.unit() as unit:
            await unit.execute(text("select 1"))
    except (TimeoutError, VigieError):
        return "down"
    return "ok"


def _disk(runtime: Runtime) -> str:
    try:
        free = shutil.disk_usage(runtime.settings.root).free
    except OSError:
        return "unreadable"
    return "ok" if free >= LEAST_FREE_BYTES else "full"


@get("/metrics", permission="core.metrics", on_this_machine=True, media_type="text/plain")
async def read_metrics(runtime: Runtime, caller: Caller, catalogue: Catalogue) -> Response[str]:
    """Prometheus figures of every process; open to this machine, else for a bearer token of
    someone who holds the permission over the whole city: the figures are not parted by place."""
    if caller is not NOBODY:
        scope = catalogue.scope_for(caller.principal, "core.metrics")
        if not (scope or NOTHING).everything:
            raise Forbidden(
                "whole_city_only",
                "These are figures of the whole city: they need the permission core.metrics over"
                " every municipality and trade.",
                {"permission": "core.metrics"},
            )
    return Response(metrics.render(runtime), media_type="text/plain; version=0.0.4; charset=utf-8")


ROUTES = [healthz, readyz, read_metrics]
