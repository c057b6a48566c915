"""What runs and does nothing is started again, with its stack kept; what works long is not."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from vigie.core.engines import free_port
from vigie.core.heartbeat import Silence
from vigie.core.settings import Settings
from vigie.core.supervisor import Supervisor

WITHIN_S = 60
ROLE = """
import asyncio, time
from vigie.core.heartbeat import beating

def stuck_in_this_function():
    while True:
        pass

async def work():
    print("up", flush=True)
    {body}

asyncio.run(beating(work()))
"""


def test_silence_is_counted_in_looks() -> None:
    silence = Silence(3)
    assert not silence.look(True)
    assert [silence.look(False) for _ in range(4)] == [False, False, False, True]
    silence.restart()
    assert [silence.look(False) for _ in range(7)] == [False] * 6 + [True], "twice for the start"
    silence.restart()
    assert not any(silence.look(heard) for heard in [True, False, False, False, True] * 20)


@contextlib.asynccontextmanager
async def supervised(var: Path, **changes: object) -> AsyncIterator[Supervisor]:
    nothing = {"database_url": "postgresql://x", "nats_url": "nats://x"}
    settings = Settings(**({"var": str(var), "silence_seconds": 2.0} | nothing | changes))  # type: ignore[arg-type]
    supervisor = Supervisor(settings)
    umask = os.umask(0o022)
    supervisor.claim()
    try:
        yield supervisor
    finally:
        await supervisor.stop()
        os.umask(umask)


def restarts(var: Path, name: str) -> int:
    state = msgspec.json.decode((var / "run" / "supervisor.json").read_bytes())
    return int(state["restarts"].get(name, 0))


def pid(var: Path, name: str) -> int:
    state = msgspec.json.decode((var / "run" / "supervisor.json").read_bytes())
    return int(state["children"][name] or 0)


async def until(true: Callable[[], bool], message: str) -> None:
    try:
        async with asyncio.timeout(WITHIN_S):
            while not true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(message)


def start(supervisor: Supervisor, name: str, body: str) -> None:
    supervisor.start_process(name, [sys.executable, "-c", ROLE.format(body=body)], beats=True)


async def test_a_stuck_role_is_started_again_and_its_stack_kept(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        start(supervisor, "stuck", "await asyncio.sleep(1.5); stuck_in_this_function()")
        await until(lambda: restarts(tmp_path, "stuck") > 0, "it was left hanging")
        stack = (tmp_path / "log" / "stuck.stack").read_text()
        assert "stuck_in_this_function" in stack
        assert "gave no sign of life" in stack
        await until(
            lambda: (tmp_path / "log" / "stuck.log").read_text().count("up") > 1, "not started"
        )


async def test_a_role_that_never_comes_up_is_started_again(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        program = [sys.executable, "-c", "import time; time.sleep(600)"]
        supervisor.start_process("dumb", program, beats=True)
        await until(lambda: restarts(tmp_path, "dumb") > 0, "it was left hanging")


async def test_a_role_at_long_work_is_left_alone(tmp_path: Path) -> None:
    """It waits, and computes in a thread, three times as long as silence is suffered."""
    async with supervised(tmp_path) as supervisor:
        start(
            supervisor,
            "busy",
            "await asyncio.gather(asyncio.sleep(600), asyncio.to_thread(stuck_in_this_function))",
        )
        start(supervisor, "stuck", "stuck_in_this_function()")
        for times in (1, 2):
            await until(lambda: restarts(tmp_path, "stuck") >= times, "nobody looks")
        assert restarts(tmp_path, "busy") == 0


async def test_a_stopped_role_is_started_again(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        start(supervisor, "frozen", "await asyncio.sleep(600)")
        await until(lambda: "up" in (tmp_path / "log" / "frozen.log").read_text(), "not up")
        await asyncio.sleep(2)
        before = pid(tmp_path, "frozen")
        os.kill(before, signal.SIGSTOP)
        await until(lambda: pid(tmp_path, "frozen") not in (0, before), "it was left hanging")


async def test_a_machine_that_slept_kills_nobody(tmp_path: Path) -> None:
    """The supervisor did not run for longer than silence is suffered: all wake up and go on."""
    async with supervised(tmp_path) as supervisor:
        start(supervisor, "sleeper", "await asyncio.sleep(600)")
        await until(lambda: "up" in (tmp_path / "log" / "sleeper.log").read_text(), "not up")
        await asyncio.sleep(2)
        child = psutil.Process(pid(tmp_path, "sleeper"))
        child.suspend()
        import time

        time.sleep(6)  # This blocks the supervisor's loop, as sleep of the whole machine would.
        child.resume()
        await asyncio.sleep(3)
        assert restarts(tmp_path, "sleeper") == 0
        assert child.is_running()


async def test_an_engine_that_hangs_is_started_again(tmp_path: Path) -> None:
    ports = {"nats_port": free_port(), "mqtt_port": free_port()}
    async with supervised(tmp_path, nats_url="", **ports) as supervisor:
        await supervisor.start_engines()
        assert supervisor.nats
        assert await supervisor.nats.answers()
        before = pid(tmp_path, "nats")
        os.kill(before, signal.SIGSTOP)
        await until(lambda: pid(tmp_path, "nats") not in (0, before), "it was left hanging")
        assert "goroutine" in (tmp_path / "log" / "nats-start.log").read_text()


async def test_what_the_supervisor_leaves_is_for_its_owner(tmp_path: Path) -> None:
    """Folders and logs of an installation made before that was so are closed as well."""
    (tmp_path / "log").mkdir(mode=0o755)
    (tmp_path / "log" / "open.log").touch(mode=0o644)
    ports = {"nats_port": free_port(), "mqtt_port": free_port()}
    async with supervised(tmp_path, nats_url="", **ports) as supervisor:
        await supervisor.start_engines()
        start(supervisor, "open", "await asyncio.sleep(600)")
        await until(lambda: "up" in (tmp_path / "log" / "open.log").read_text(), "not up")
        for folder in ("log", "run", "secrets"):
            assert (tmp_path / folder).stat().st_mode & 0o077 == 0, folder
        for path in tmp_path.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path
        listening = {
            c.laddr.port
            for c in psutil.Process(pid(tmp_path, "nats")).net_connections()
            if c.status == psutil.CONN_LISTEN
        }
        assert listening == set(ports.values()), "a monitoring port is open"
