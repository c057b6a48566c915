"""Engines for a command: those that run, or embedded ones started for its duration."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from vigie.app import every_room, install_kinds, rooms_of
from vigie.core.bus import Bus
from vigie.core.database import Database
from vigie.core.engines.nats import NatsOptions, configuration
from vigie.core.errors import SetupError
from vigie.core.migrate import migrate
from vigie.core.runtime import (
    Runtime,
    database_owner_url,
    database_public_url,
    database_url,
    nats_url,
)
from vigie.core.settings import Settings
from vigie.core.supervisor import Supervisor, read_state


class Session:
    """What a command works with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def migrate(self) -> str:
        """Bring the database up to date; its revision."""
        owner, login, public = migration_urls(self.settings)
        return await asyncio.to_thread(migrate, owner, login, every_room(), public)

    @contextlib.asynccontextmanager
    async def runtime(self, role: str = "command") -> AsyncGenerator[Runtime]:
        """A Runtime for the verbs."""
        rooms = rooms_of(self.settings)
        install_kinds(rooms)
        runtime = Runtime(
            self.settings,
            role,
            Database(database_url(self.settings), pool=4, application=f"vigie-{role}"),
            await Bus.connect(nats_url(self.settings), f"vigie-{role}"),
            rooms,
        )
        try:
            yield runtime
        finally:
            await runtime.close()


def migration_urls(settings: Settings) -> tuple[str, str, str]:
    """The owner's address, and the logins that become members of the runtime and public roles."""
    from urllib.parse import unquote, urlsplit

    def login(url: str) -> str:
        return unquote(urlsplit(url).username or "")

    return (
        database_owner_url(settings),
        login(database_url(settings)),
        login(database_public_url(settings)),
    )


@contextlib.asynccontextmanager
async def engines(settings: Settings, *, migrated: bool = True) -> AsyncGenerator[Session]:
    """Use the engines of the running centre, or start the embedded ones for this block."""
    session = Session(settings)
    supervisor = Supervisor(settings)
    embedded = settings.embedded_database or settings.embedded_nats
    started = False
    if embedded:
        try:
            supervisor.claim()
            started = True
        except SetupError:
            if read_state(settings.root) is None:
                raise
    try:
        if started:
            await supervisor.start_engines()
        if migrated:
            await session.migrate()
        yield session
    finally:
        if started:
            await supervisor.stop()


def external_nats_configuration(settings: Settings) -> str:
    """The whole configuration for a NATS server of one's own, with this installation's keys."""
    root = settings.root
    return (
        "# NATS server configuration for Vigie (nats-server 2.11 or newer).\n"
        "# Change addresses, store_dir and TLS to suit; keep accounts and authorization.\n"
        + configuration(
            NatsOptions(
                port=settings.nats_port,
                mqtt_host=settings.mqtt_host,
                mqtt_port=settings.mqtt_port,
                sync=settings.sync,
                store=str(root / "nats"),
                tls_certificate=settings.tls_certificate,
                tls_key=settings.tls_key,
            ),
            root / "secrets",
        )
    )
