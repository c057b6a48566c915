"""Starts the engines and the roles, watches them, starts again what ended, stops all in order.

Every child dies with the supervisor, however it dies. A child that ends is started again after a
pause that grows to 5 s; an engine comes back on the same port with the same data, and the roles
reconnect by themselves. A child that runs and does nothing is ended first: a role whose event loop
gives no sign of life (`core/heartbeat.py`), an engine that does not greet who connects.
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
from vigie.core.engines.secrets import append_to, private_folder, write
from vigie.core.errors import SetupError
from vigie.core.heartbeat import EVERY_S, PIPE, STACK, Silence
from vigie.core.logs import logger
from vigie.core.settings import Settings
from vigie.core.tasks import end

log = logger(__name__)
LEAST_FREE_BYTES = 500_000_000
# Time in which a hung child writes its stacks, or ends by itself.
_LAST_WORDS_S = {"postgres": 10.0, "nats": 5.0}
_ASK_EVERY_S = 5.0
_STACK_FILE_BYTES = 1_000_000


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
        self._silence: dict[str, Silence] = {}
        self._answered: set[str] = set()
        self._starting: set[str] = set()
        self._lock: int | None = None

    def claim(self) -> None:
        """Make this process the only supervisor of `var`.

        From here on this process and its children make files for their owner only.

        Raises SetupError: another one runs, the folder cannot be written, or the disk is full.
        """
        os.umask(0o077)
        try:
            for name in ("run", "log", "secrets"):
                private_folder(self.root / name)
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
            self._watch_answers("postgres", self.postgres)
        if self.nats and self.nats.child:
            self._watch("nats", self.nats.child, self.nats.start)
            self._watch_answers("nats", self.nats)

    def start_process(self, name: str, command: Sequence[str], *, beats: bool = False) -> None:
        """Start a role (or the simulated city) and keep it running.

        One that `beats` gives signs of life, and is started again when they stop."""
        stack = self.root / "log" / f"{name}.stack"
        child = Child(
            name,
            command,
            self.root / "log" / f"{name}.log",
            environment=os.environ | {STACK: str(stack)},
            pipe=PIPE if beats else "",
        )
        child.start()
        self._watch(name, child, None)
        if beats:
            self._watch_silence(name, self.settings.silence_seconds)

    def role(self, name: str) -> None:
        """Start `vigie run NAME`."""
        self.start_process(name, [sys.executable, "-m", "vigie", "run", name], beats=True)

    def restart_roles(self) -> None:
        """End every role: each is started again, with the code as it is now."""
        for name in self._silence:
            if name not in ("postgres", "nats") and (pid := self._children[name].pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

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
            self._starting.add(name)
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
            if name in self._silence:
                self._silence[name].restart()
            self._starting.discard(name)
            self._note()

    def _watch_answers(self, name: str, engine: PostgresEngine | NatsEngine) -> None:
        """Ask an engine for a greeting every few seconds; it has twice a role's time for one."""
        pause = min(_ASK_EVERY_S, self.settings.silence_seconds / 2)

        async def ask() -> None:
            while True:
                if await engine.answers():
                    self._answered.add(name)
                await asyncio.sleep(pause)

        self._watchers.append(asyncio.create_task(ask(), name=f"ask-{name}"))
        self._watch_silence(name, 2 * self.settings.silence_seconds)

    def _watch_silence(self, name: str, seconds: float) -> None:
        self._silence[name] = Silence(seconds)
        self._watchers.append(asyncio.create_task(self._listen(name), name=f"listen-{name}"))

    async def _listen(self, name: str) -> None:
        """End a child that is silent for too long; `_keep` then starts it again."""
        silence = self._silence[name]
        while True:
            await asyncio.sleep(EVERY_S)
            child = self._children[name]
            alive = child.gave_sign() or name in self._answered
            self._answered.discard(name)
            if child.pid is None or name in self._starting:
                silence.restart()
            elif silence.look(alive):
                log.error("child_hung", child=name, pid=child.pid, stack=f"log/{name}.stack")
                self._head_stack(name, child)
                await child.end_hung(_LAST_WORDS_S.get(name, 2.0))
                silence.restart()

    def _head_stack(self, name: str, child: Child) -> None:
        """Say in the file of stacks which process and when; the process writes below."""
        path = self.root / "log" / f"{name}.stack"
        head = f"\n{clock.rfc3339(clock.now())} {name}, process {child.pid}, gave no sign of life\n"
        with contextlib.suppress(OSError):
            if path.exists() and path.stat().st_size > _STACK_FILE_BYTES:
                # The process holds this file open, and writes into it under its new name.
                path.replace(path.with_name(path.name + ".1"))
                path = path.with_name(path.name + ".1")
            with os.fdopen(append_to(path), "ab") as file:
                file.write(head.encode())

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
