"""Real engines for every test that needs them: no stand-ins.

One PostgreSQL and one NATS per pytest worker, started on first use. A database is a clone of a
migrated template: some 60 ms. `database`, `settings`, `bus` and `runtime` live for a test module;
a test that needs a database to itself asks `new_runtime` for one.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psycopg
import pytest
import pytest_asyncio

from vigie.app import every_room
from vigie.core.bus import Bus
from vigie.core.database import Database
from vigie.core.engines import NatsEngine, PostgresEngine, free_port
from vigie.core.engines.postgres import LOGIN, OWNER
from vigie.core.ids import token
from vigie.core.migrate import migrate
from vigie.core.runtime import Runtime, database_owner_url, database_url, nats_url
from vigie.core.settings import Settings
from vigie.twin import kinds

# A property is true or not; how long an example takes says only how busy the machine is.
hypothesis.settings.register_profile("vigie", deadline=None)
hypothesis.settings.load_profile("vigie")

kinds.install(every_room().collect("kinds"))

# A test's data need not outlive a power cut.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
}
TEMPLATE = "vigie_template"


@dataclass
class Engines:
    """The engines of this worker."""

    root: Path
    postgres: PostgresEngine
    nats: NatsEngine

    def url(self, name: str, user: str = LOGIN) -> str:
        """Address of one database of this cluster."""
        return self.postgres.url(user).rsplit("/", 1)[0] + "/" + name

    async def administer(self, statement: str) -> None:
        """One statement as the cluster's superuser, outside any database of the tests."""
        async with await psycopg.AsyncConnection.connect(
            self.url("postgres", OWNER), autocommit=True
        ) as connection:
            await connection.execute(statement)  # type: ignore[arg-type]

    async def clone(self) -> str:
        """A fresh migrated database; its name."""
        name = "test_" + token(length=10).lower()
        await self.administer(f"create database {name} template {TEMPLATE}")
        return name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engines() -> AsyncIterator[Engines]:
    """A real PostgreSQL with a migrated template database, and a real NATS with MQTT."""
    root = Path(tempfile.mkdtemp(prefix="vigie-test-"))
    postgres = PostgresEngine(root, free_port(), FAST)
    nats = NatsEngine(root, port=free_port(), mqtt_host="127.0.0.1", mqtt_port=free_port())
    made = Engines(root, postgres, nats)
    try:
        await asyncio.gather(postgres.start(), nats.start())
        await made.administer(f"create database {TEMPLATE}")
        await asyncio.to_thread(migrate, made.url(TEMPLATE, OWNER), LOGIN, every_room())
        yield made
    finally:
        await asyncio.gather(postgres.stop(), nats.stop())
        shutil.rmtree(root, ignore_errors=True)


@contextlib.asynccontextmanager
async def _settings(engines: Engines) -> AsyncIterator[Settings]:
    name = await engines.clone()
    var = Path(tempfile.mkdtemp(prefix="var-", dir=engines.root))
    shutil.copytree(engines.root / "secrets", var / "secrets")
    try:
        yield Settings(
            var=str(var),
            http_port=free_port(),
            postgres_port=engines.postgres.port,
            nats_port=engines.nats.port,
            mqtt_port=engines.nats.mqtt_port,
            database_url=engines.url(name),
            database_owner_url=engines.url(name, OWNER),
            database_pool=6,
        )
    finally:
        await engines.administer(f"drop database if exists {name} with (force)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(engines: Engines) -> AsyncIterator[Settings]:
    """An installation's settings over a fresh database and `var` folder."""
    async with _settings(engines) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The runtime's pool on this module's database."""
    made = Database(database_url(settings), pool=6, application="vigie-test")
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    """A connection to NATS as the platform's user."""
    made = await Bus.connect(nats_url(settings), "vigie-test")
    yield made
    await made.close()


@pytest.fixture(scope="module")
def runtime(settings: Settings, database: Database, bus: Bus) -> Runtime:
    """A process's shared things; its services are started by the test."""
    return Runtime(settings, "test", database, bus, every_room())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(settings: Settings) -> AsyncIterator[psycopg.AsyncConnection]:
    """The module's database as its owner and superuser: fixtures, tampering. Autocommit."""
    async with await psycopg.AsyncConnection.connect(
        database_owner_url(settings), autocommit=True
    ) as connection:
        yield connection


NewRuntime = Callable[[], Awaitable[Runtime]]


@pytest_asyncio.fixture(loop_scope="session")
async def new_runtime(engines: Engines) -> AsyncIterator[NewRuntime]:
    """Makes a Runtime over a database and `var` folder of its own, for one test."""
    async with contextlib.AsyncExitStack() as stack:

        async def make() -> Runtime:
            settings = await stack.enter_async_context(_settings(engines))
            runtime = await Runtime.open(settings, "test", every_room())
            stack.push_async_callback(runtime.close)
            return runtime

        yield make
