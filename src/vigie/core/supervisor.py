"""Starts the engines and the roles, watches them, starts again what ended, stops all in order.

Every child dies with the supervisor, however it dies. A child that ends is started again after a
pause that grows to 5 s; an engine comes back on the same port with the same data, and the roles
reconnect by themselves.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from vigie.core import clock
from vigie.core.engines import Child, NatsEngine, PostgresEngine
from vigie.core.engines.secrets import write
from vigie.core.errors import SetupError
from vigie.core.logs import logger
from vigie.core.settings import Settings
from vigie.core.tasks import end

log = logger(__name__)
LEAST_FREE_BYTES = 500_000_000


class Supervisor:
    """One installation's processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root
        self.stopping = asyncio.Event()
        self.postgres: PostgresEngine | None = None
        self.nats: NatsEngine | None = None
        self._children: dict[str, Child] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._restarts: dict[str, int] = {}
        self._lock: int | None = None

    def claim(self) -> None:
        """Make this process the only supervisor of `var`.

        Raises SetupError: another one runs, the folder cannot be written, or the disk is full.
        """
        try:
            for name in ("run", "log", "secrets"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / "secrets").chmod(0o700)
        except OSError as error:
            raise SetupError(
                f"{self.root} cannot be written ({error.strerror}): set VIGIE_VAR to a folder "
                "of yours."
            ) from error
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE_BYTES:
            raise SetupError(
                f"Only {free // 1_000_000} MB are free under {self.root}, Vigie needs "
                f"{LEAST_FREE_BYTES // 1_000_000}: make room or set VIGIE_VAR."
            )
        self._lock = os.open(self.root / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SetupError(
                f"Vigie already runs on {self.root}: stop it first, or set VIGIE_VAR."
            ) from error

    async def start_engines(self) -> None:
        """Start what is embedded, both at once."""
        starts: list[Awaitable[None]] = []
        if self.settings.embedded_database:
            self.postgres = PostgresEngine(self.root, self.settings.postgres_port)
            starts.append(self.postgres.start())
        if self.settings.embedded_nats:
            self.nats = NatsEngine(
                self.root,
                port=self.settings.nats_port,
                mqtt_host=self.settings.mqtt_host,
                mqtt_port=self.settings.mqtt_port,
                sync=self.settings.sync,
                tls_certificate=self.settings.tls_certificate,
                tls_key=self.settings.tls_key,
            )
            starts.append(self.nats.start())
        await asyncio.gather(*starts)
        if self.postgres and self.postgres.child:
            self._watch("postgres", self.postgres.child, self.postgres.start)
        if self.nats and self.nats.child:
            self._watch("nats", self.nats.child, self.nats.start)

    def start_process(self, name: str, command: Sequence[str]) -> None:
        """Start a role (or the simulated city) and keep it running."""
        child = Child(name, command, self.root / "log" / f"{name}.log")
        child.start()
        self._watch(name, child, None)

    def role(self, name: str) -> None:
        """Start `vigie run NAME`."""
        self.start_process(name, [sys.executable, "-m", "vigie", "run", name])

    def _watch(
        self, name: str, child: Child, restart: Callable[[], Awaitable[None]] | None
    ) -> None:
        self._children[name] = child
        self._note()
        self._watchers.append(
            asyncio.create_task(self._keep(name, child, restart), name=f"watch-{name}")
        )

    async def _keep(
        self, name: str, child: Child, restart: Callable[[], Awaitable[None]] | None
    ) -> None:
        pause = 0.2
        while True:
            started = asyncio.get_running_loop().time()
            code = await child.wait()
            if self.stopping.is_set():
                return
            if asyncio.get_running_loop().time() - started > 60:
                pause = 0.2
            self._restarts[name] = self._restarts.get(name, 0) + 1
            log.error("child_ended", child=name, code=code, again_in_s=pause, last=child.tail(3))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
            try:
                if restart is None:
                    child.start()
                else:
                    await restart()
                    engine = self.postgres if name == "postgres" else self.nats
                    assert engine is not None
                    assert engine.child is not None
                    child = self._children[name] = engine.child
            except SetupError as error:
                log.error("child_not_started", child=name, detail=error.detail)
                if not child.pid:
                    continue
            self._note()

    def _note(self) -> None:
        """Leave word of who runs, for `vigie doctor` and for tests that break things."""
        state = {
            "supervisor": os.getpid(),
            "at": clock.rfc3339(clock.now()),
            "children": {name: child.pid for name, child in self._children.items()},
            "restarts": self._restarts,
            "http": f"{self.settings.http_host}:{self.settings.http_port}",
        }
        with contextlib.suppress(OSError):
            write(self.root / "run" / "supervisor.json", msgspec.json.encode(state))

    async def wait(self) -> None:
        """Until SIGTERM or SIGINT."""
        await self.stopping.wait()

    def on_signals(self) -> None:
        """SIGTERM, SIGINT and SIGHUP end the run in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stopping.set)

    async def stop(self) -> None:
        """Roles first, engines last."""
        self.stopping.set()
        await end(self._watchers)
        engines = {"postgres", "nats"}
        roles = [c for name, c in self._children.items() if name not in engines]
        await asyncio.gather(*(child.stop() for child in reversed(roles)))
        if self.nats:
            await self.nats.stop()
        if self.postgres:
            await self.postgres.stop()
        with contextlib.suppress(OSError):
            (self.root / "run" / "supervisor.json").unlink()
        if self._lock is not None:
            os.close(self._lock)


def read_state(root: Path) -> dict[str, object] | None:
    """What the supervisor last wrote, when one runs; a killed one leaves its word, not its lock."""
    try:
        with (root / "run" / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        pass
    except OSError:
        return None
    try:
        return msgspec.json.decode((root / "run" / "supervisor.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
