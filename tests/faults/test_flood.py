"""One client at full speed: it is shed, visibly; its neighbours do not notice; nothing that was
acknowledged is lost, of the flood neither."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.conftest import Engines
from tests.support import flood
from tests.support.mqtt import connect, issue, running
from vigie.core.engines import NatsEngine, free_port, port_in_use
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.core.tasks import end
from vigie.gateways.clients import read_gateway, read_tally
from vigie.gateways.clients.model import Issued
from vigie.gateways.ingest.service import services
from vigie.gateways.mqtt import UPWARD, MqttGateway
from vigie.gateways.mqtt.streams import stream_state

pytestmark = pytest.mark.long

SECONDS = 4
LIMIT = 120_000_000


@dataclass
class Village:
    """A flooder and its neighbour, on one lane, with a lamp each."""

    runtime: Runtime
    gateway: MqttGateway
    flooder: Issued
    neighbour: Issued
    lamps: dict[str, int]

    async def scalar(self, statement: str, **values: Any) -> Any:
        async with self.runtime.database.unit() as unit:
            return (await unit.execute(text(statement), values)).scalar()

    async def flood(self, mode: str) -> dict[str, Any]:
        """The flooder's account of itself."""
        client = self.flooder
        topic = f"up/{client.shard}/{client.token}/reading"
        if mode == "foreign":
            topic = f"up/{client.shard}/{self.neighbour.token}/reading"
        port = str(self.runtime.settings.mqtt_port)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", flood.__name__, port, client.token, client.secret,
            topic, "loud", mode, str(SECONDS),
            stdout=asyncio.subprocess.PIPE, cwd=Path(flood.__file__).parents[2],
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(process.communicate(), SECONDS + 60)
        finally:
            if process.returncode is None:
                process.kill()
        return json.loads(output)

    async def say(self, n: int) -> float:
        """One reading of the neighbour; the seconds until the state shows it."""
        began = time.monotonic()
        payload = {"device": "quiet", "boot": 1, "n": n, "at": time.time_ns() // 1_000_000,
                   "values": {"dimmingLevel": n % 100}}  # fmt: skip
        topic = f"up/{self.neighbour.shard}/{self.neighbour.token}/reading"
        async with await connect(self.runtime, self.neighbour) as connection:
            await connection.publish(topic, msgspec.json.encode(payload))
        while await self.scalar(
            "select coalesce(max(n), 0) from twin.state where asset = :a", a=self.lamps["quiet"]
        ) < n:  # fmt: skip
            assert time.monotonic() - began < 60, "the neighbour's reading does not arrive"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def settled(self) -> None:
        """Until nothing waits any more, in the stream or beside it."""
        async with asyncio.timeout(120):
            while (await stream_state(self.runtime.bus)).messages or await self.scalar(
                "select count(*) from gateways.parked"
            ):
                await asyncio.sleep(0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def village(engines: Engines, tmp_path: Path) -> AsyncIterator[Village]:
    while port_in_use("127.0.0.1", (port := free_port()) + 1):
        pass
    broker = NatsEngine(tmp_path, port=port, mqtt_host="127.0.0.1", mqtt_port=free_port())
    await broker.start()
    runtime = await Runtime.open(
        Settings(
            var=str(tmp_path),
            nats_port=port,
            mqtt_port=broker.mqtt_port,
            database_url=engines.url(await engines.clone()),
            stream_max_bytes=LIMIT,
            shards=1,
        ),
        "gateways",
    )
    tasks: list[asyncio.Task[None]] = []
    try:
        async with running(runtime, broker.log) as gateway:
            lamps: dict[str, int] = {}
            clients: list[Issued] = []
            for name in ("loud", "quiet"):
                async with runtime.database.unit() as unit:
                    made = await unit.execute(
                        text(
                            "insert into twin.asset (token, kind, trade, source, source_id, lon,"
                            " lat, mercator, municipality) values (:token, 'Streetlight',"
                            " 'lighting', 'test', :token, 5, 47, point(0, 0), '21231')"
                            " returning id"
                        ),
                        {"token": name},
                    )
                    lamps[name] = made.scalar_one()
                clients.append(await issue(runtime, gateway, name, [lamps[name]]))
            tasks = [asyncio.create_task(s()) for s in services(runtime, (UPWARD,)).values()]
            try:
                yield Village(runtime, gateway, clients[0], clients[1], lamps)
            finally:
                await end(tasks)
    finally:
        await runtime.close()
        await broker.stop()


@pytest.mark.parametrize("mode", ["single", "batch", "foreign"])
async def test_a_flood_costs_the_flooder_alone(village: Village, mode: str) -> None:
    closed: list[str] = []
    await village.say(1)
    flooding = asyncio.create_task(village.flood(mode))
    delays: list[float] = []
    shares: list[float] = []
    try:
        while not flooding.done():
            delays.append(await village.say(len(delays) + 2))
            shares.append((await stream_state(village.runtime.bus)).share)
            if not village.gateway.admission.open:
                closed.append(village.gateway.admission.reason)
            await asyncio.sleep(0.1)
    finally:
        with contextlib.suppress(TimeoutError):
            account = await flooding
    print(mode, {k: v for k, v in account.items() if k != "acknowledged"},
          len(account["acknowledged"]), "delays", [round(d, 2) for d in delays],
          "share", round(max(shares), 2))  # fmt: skip
    # The neighbour is shown within 2 s on a machine of its own; on a busy one some look longer.
    # Without the quota it takes the time that the whole flood needs to be stored.
    assert sorted(delays)[len(delays) // 2] < 2
    assert max(delays) < 10
    # The flooder was cut and kept out, before admission closed for everyone.
    assert account["cuts"] >= 1
    assert account["refused"] >= 1
    assert village.gateway.admission.open
    assert closed == []
    assert max(shares) < 0.8
    # It shows: on the gateway, and by hour and reason.
    await village.gateway.refusals.flush()
    async with village.runtime.database.unit() as unit:
        gateway = await read_gateway(unit, village.flooder.token)
        tally = await read_tally(unit, village.flooder.token)
    assert gateway.refused > 0
    assert "quota_exceeded" in {row.code for row in tally if row.place == "broker"}
    # What was acknowledged is stored, of the flooder too.
    await village.settled()
    if mode != "foreign":
        readings = flood.READINGS[mode]
        async with village.runtime.database.unit() as unit:
            rows = await unit.execute(
                text("select n from twin.history where device = :d"), {"d": village.lamps["loud"]}
            )
            stored = {row.n for row in rows}
        missing = [n for n in account["acknowledged"] if n * readings not in stored]
        assert account["acknowledged"]
        assert missing == []
