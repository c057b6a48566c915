"""kill -9 within `accept`, and of the ingest behind it: what was answered OK is stored once.

A device sends one reading after another through the gateway of docs/adding-a-gateway.md, and sends
again what was not answered. Both processes are killed at random moments and started again.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import NewRuntime
from tests.support.line import LineDevice, write_package
from vigie.core import clock
from vigie.core.engines import free_port
from vigie.core.runtime import Runtime
from vigie.gateways import clients
from vigie.gateways.ingest import ACCEPTED_STREAM, ask

pytestmark = [pytest.mark.long, pytest.mark.faults, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("VIGIE_FAULT_KILLS", "8"))
_GATEWAY = """
import asyncio
from vigie.app import rooms_of
from vigie.core.rooms import loaded
from vigie.core.runtime import Runtime
from vigie.core.settings import load

async def main():
    settings = load()
    rooms = rooms_of(settings)
    runtime = await Runtime.open(settings, "gateways", rooms)
    parts = [loaded(rooms.named(n).services["gateways"])(runtime) for n in ("ingest", "line")]
    await runtime.run({name: s for part in parts for name, s in part.items()})

asyncio.run(main())
"""
_INGEST = """
import asyncio
from vigie.core.runtime import Runtime
from vigie.core.settings import load
from vigie.gateways.ingest import ACCEPTED_STREAM
from vigie.gateways.ingest.service import services

async def main():
    runtime = await Runtime.open(load(), "ingest")
    await runtime.run(services(runtime, (ACCEPTED_STREAM,)))

asyncio.run(main())
"""


class Child:
    """A process that is killed and started again."""

    def __init__(self, code: str, environment: dict[str, str]) -> None:
        self._code, self._environment = code, environment
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self._code, env=self._environment,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


@contextlib.asynccontextmanager
async def children(
    runtime: Runtime, package: Path, port: int
) -> AsyncIterator[tuple[Child, Child]]:
    settings = runtime.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")},
        "PYTHONPATH": f"{Path(clients.__file__).parents[3]}:{package}",
        "VIGIE_VAR": settings.var,
        "VIGIE_DATABASE_URL": settings.database_url,
        "VIGIE_DATABASE_OWNER_URL": settings.database_owner_url,
        "VIGIE_NATS_PORT": str(settings.nats_port),
        "VIGIE_LINE_PORT": str(port),
    }
    both = Child(_GATEWAY, environment), Child(_INGEST, environment)
    try:
        for child in both:
            await child.start()
        yield both
    finally:
        for child in both:
            await child.kill()


async def test_what_was_answered_is_stored_once(new_runtime: NewRuntime, tmp_path: Path) -> None:
    write_package(tmp_path)
    runtime = await new_runtime()
    port = free_port()
    with contextlib.suppress(Exception):
        await ask(runtime.bus, f"$JS.API.STREAM.PURGE.{ACCEPTED_STREAM.name}", {})
    async with runtime.database.unit() as unit:
        made = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, lon, lat, mercator,"
                " municipality) values ('lamp', 'Streetlight', 'lighting', 'test', 'lamp', 5, 47,"
                " point(0, 0), '21231') returning id"
            )
        )
        issued = await clients.issue_client(
            unit, runtime.bus, name="depot", kind="site", shards=1, protocol="line",
            stream=clients.ACCEPTED, assets=[made.scalar_one()],
        )  # fmt: skip
    device = LineDevice(port, issued.token, issued.secret)
    async with children(runtime, tmp_path, port) as (gateway, ingest):
        done = asyncio.Event()

        async def send() -> None:
            number = 0
            while not done.is_set():
                number += 1
                at = int(clock.now().timestamp() * 1000)
                await device.deliver(f"R lamp {at} activePower={number % 2000}")

        sending = asyncio.create_task(send())
        for turn in range(KILLS):
            # Within accept more often than not: the device waits for an answer nearly always.
            victim = gateway if turn % 3 else ingest
            before = len(device.acknowledged)
            async with asyncio.timeout(120):
                while len(device.acknowledged) < before + 20:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(random.random() * 0.2)
            await victim.kill()
            await victim.start()
        done.set()
        await asyncio.wait_for(sending, 120)
        async with asyncio.timeout(120):
            while True:
                info = await ask(runtime.bus, f"$JS.API.STREAM.INFO.{ACCEPTED_STREAM.name}", {})
                if not info["state"]["messages"]:
                    break
                await asyncio.sleep(0.1)
    device.close()
    sent = [float(line.split("=")[1]) for line in device.acknowledged]
    async with runtime.database.unit() as unit:
        rows = await unit.execute(text("select vals[1] as v from twin.history order by at, n"))
        stored = [row.v for row in rows]
        assert (await unit.execute(text("select count(*) from gateways.quarantine"))).scalar() == 0
    assert len(sent) > KILLS * 20
    assert device.connections > KILLS // 2
    assert stored == sent
