"""What a process is made of: settings, database, bus, and services that run until told to stop.

A service that fails is logged, shown as degraded, and started again with a growing pause; it never
takes its neighbours down. Every process says how its services are once a second on
`health.<role>.<instance>`.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from vigie.core import clock
from vigie.core.bus import Bus
from vigie.core.database import EXPORTS, PUBLIC_ROLE, RUNTIME_ROLE, Database
from vigie.core.engines.nats import SYSTEM_USER, USER
from vigie.core.engines.postgres import LOGIN, OWNER, PUBLIC_LOGIN
from vigie.core.engines.secrets import ensure
from vigie.core.errors import SetupError
from vigie.core.house import House
from vigie.core.ids import token
from vigie.core.logs import logger
from vigie.core.rooms import Rooms
from vigie.core.settings import Settings
from vigie.core.tasks import end

log = logger(__name__)
Services = dict[str, Callable[[], Awaitable[None]]]


class Component(msgspec.Struct):
    """How one service is: shown on the system page, published on `health.<role>.<instance>`."""

    name: str
    status: str = "starting"
    code: str = ""
    params: dict[str, Any] = {}
    since: str = ""

    def set(self, status: str, code: str = "", **params: Any) -> None:
        """ok, degraded or down; `since` moves only when the status does."""
        if status != self.status:
            self.since = clock.rfc3339(clock.now())
        self.status, self.code, self.params = status, code, params


class Runtime:
    """The shared things of one process."""

    def __init__(
        self,
        settings: Settings,
        role: str,
        database: Database,
        bus: Bus,
        rooms: Rooms | None = None,
    ) -> None:
        self.settings = settings
        self.rooms = rooms or Rooms(())
        self.role = role
        self.instance = token(length=6)
        self.database = database
        self.bus = bus
        self.house = House(self.rooms)
        database.waker = bus.publish
        if rooms is not None:
            database.house = self.house
        self.components: dict[str, Component] = {}
        self.stopping = asyncio.Event()

    @classmethod
    async def open(cls, settings: Settings, role: str, rooms: Rooms | None = None) -> "Runtime":
        """Connect to both engines."""
        serves, public = role == "api", role == "public"
        database = Database(
            database_public_url(settings) if public else database_url(settings),
            pool=settings.database_public_pool if public else settings.database_pool,
            screens=settings.database_screens_pool if serves else 0,
            exports=EXPORTS if serves else 0,
            application=f"vigie-{role}",
            statement_timeout_s=settings.request_timeout_s if serves or public else None,
            role=PUBLIC_ROLE if public else RUNTIME_ROLE,
        )
        bus = await Bus.connect(nats_url(settings), f"vigie-{role}")
        return cls(settings, role, database, bus, rooms)

    def component(self, name: str) -> Component:
        """The health of a named part of this process."""
        if name not in self.components:
            self.components[name] = Component(name, since=clock.rfc3339(clock.now()))
        return self.components[name]

    async def run(self, services: dict[str, Callable[[], Awaitable[None]]]) -> None:
        """Run services until SIGTERM or SIGINT; then close what they used."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        tasks = [
            asyncio.create_task(self._keep(name, service), name=name)
            for name, service in services.items()
        ]
        tasks.append(asyncio.create_task(self._tell(), name="health"))
        await self.stopping.wait()
        await end(tasks)
        await self.close()

    async def close(self) -> None:
        """Give connections back."""
        await self.bus.close()
        await self.database.close()

    async def _keep(self, name: str, service: Callable[[], Awaitable[None]]) -> None:
        component = self.component(name)
        pause = 0.2
        while not self.stopping.is_set():
            started = asyncio.get_running_loop().time()
            try:
                component.set("ok")
                await service()
                return
            except asyncio.CancelledError:
                raise
            except Exception as error:
                component.set("degraded", "service_failed", error=type(error).__name__)
                if isinstance(error, SetupError):
                    log.error("service_failed", service=name, detail=error.detail)
                else:
                    log.exception("service_failed", service=name)
            if asyncio.get_running_loop().time() - started > 30:
                pause = 0.2
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def _tell(self) -> None:
        subject = f"health.{self.role}.{self.instance}"
        while True:
            report = {
                "role": self.role,
                "instance": self.instance,
                "pid": os.getpid(),
                "at": clock.rfc3339(clock.now()),
                "components": list(self.components.values()),
            }
            with contextlib.suppress(Exception):
                await self.bus.publish(subject, msgspec.json.encode(report))
            await asyncio.sleep(1)


def database_url(settings: Settings) -> str:
    """Address of the runtime login."""
    return settings.database_url or _embedded_database(settings, LOGIN)


def database_public_url(settings: Settings) -> str:
    """Address of the public process's login; the runtime's own where it was given none."""
    if settings.embedded_database:
        return _embedded_database(settings, PUBLIC_LOGIN)
    return settings.database_public_url or settings.database_url


def database_owner_url(settings: Settings) -> str:
    """Address of the owner, for migrations."""
    if settings.embedded_database:
        return _embedded_database(settings, OWNER)
    return settings.database_owner_url or settings.database_url


def nats_url(settings: Settings) -> str:
    """Address of the platform's NATS user."""
    return settings.nats_url or _embedded_nats(settings, USER)


def nats_system_url(settings: Settings) -> str:
    """Address of the system account's user: connection events, kicks. Empty when not given."""
    return (
        _embedded_nats(settings, SYSTEM_USER)
        if settings.embedded_nats
        else (settings.nats_system_url)
    )


def _embedded_database(settings: Settings, user: str) -> str:
    path = settings.root / "secrets"
    if not path.exists():
        raise SetupError(f"{settings.root} holds no installation yet: run `vigie up`.")
    password = ensure(path, f"postgres-{user}")
    return f"postgresql://{user}:{password}@127.0.0.1:{settings.postgres_port}/vigie"


def _embedded_nats(settings: Settings, user: str) -> str:
    path = settings.root / "secrets"
    if not path.exists():
        raise SetupError(f"{settings.root} holds no installation yet: run `vigie up`.")
    return f"nats://{user}:{ensure(path, 'nats-' + user)}@127.0.0.1:{settings.nats_port}"
