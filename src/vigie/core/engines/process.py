"""A child process: started bound to its parent's life, watched, stopped in order."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vigie.core.engines.secrets import append_to

_LAUNCH = Path(__file__).with_name("launch.py")


class Child:
    """One process started through launch.py; its output goes to one log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        as_user: bool = False,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        cwd: Path | None = None,
        pipe: str = "",
    ) -> None:
        """`pipe` names the variable in which the child finds the pipe for its signs of life."""
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(os.environ if environment is None else environment)
        self.as_user = as_user and os.geteuid() == 0
        self.stop_signal = stop_signal
        self.death_signal = death_signal
        self.cwd = cwd
        self._pipe_variable = pipe
        self._pipe: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def returncode(self) -> int | None:
        """Exit code once it ended."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start it; the caller's thread must live as long as the child should."""
        launch = [sys.executable, "-I", "-S", str(_LAUNCH)]
        if self.as_user:
            launch.append("--as-user")
        launch += [str(int(self.death_signal)), str(os.getpid()), *self.command]
        environment, inherited = self.environment, []
        if self._pipe_variable:
            self._close_pipe()
            self._pipe, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            environment, inherited = environment | {self._pipe_variable: str(theirs)}, [theirs]
        try:
            with os.fdopen(append_to(self.log), "ab") as output:
                self._process = subprocess.Popen(
                    launch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=self.cwd,
                    start_new_session=True,
                    pass_fds=inherited,
                )
        finally:
            for descriptor in inherited:
                os.close(descriptor)

    def gave_sign(self) -> bool:
        """True when it gave a sign of life since the last time this was asked."""
        if self._pipe is None:
            return False
        try:
            return bool(os.read(self._pipe, 65_536))
        except BlockingIOError:
            return False

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    async def wait(self) -> int:
        """Its exit code, once it ended."""
        process = self._process
        assert process is not None
        while (code := process.poll()) is None:  # noqa: ASYNC110 - a child has no event
            await asyncio.sleep(0.05)
        return code

    async def stop(self, within_s: float = 15.0) -> None:
        """Ask it to end, then make it."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.stop_signal)
        process.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(within_s):
                await self.wait()
        except TimeoutError:
            process.kill()
            await self.wait()

    async def end_hung(self, within_s: float) -> None:
        """Make a process that does not answer leave its stacks, then end it.

        SIGQUIT makes a role and NATS write what each thread does; PostgreSQL ends at once with it.
        It is continued, in case that it was only stopped: a stopped process takes no signal."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGQUIT)
        process.send_signal(signal.SIGCONT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.wait()
                return
        process.kill()
        await self.wait()

    def tail(self, lines: int = 5) -> str:
        """Last lines of its log, for an error message."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def port_in_use(host: str, port: int) -> bool:
    """True when something listens there, or nothing can."""
    return bool(port_fault(host, port))


def port_fault(host: str, port: int) -> str:
    """Why nothing of ours can listen there; "" when it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port {port} is in use: stop what listens there"
            return f"Port {port} on {host} cannot be opened ({error.strerror}): choose another"
    return ""


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
