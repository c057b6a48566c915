"""At the storage limit: nothing acknowledged is lost, admission closes, tells, and opens again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.conftest import Engines
from tests.support.mqtt import connect, issue, running
from vigie.core.engines import NatsEngine, free_port, port_in_use
from vigie.core.engines.nats import SYSTEM_USER
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.gateways.clients.model import Issued
from vigie.gateways.mqtt.streams import STREAM, UPWARD, stream_state
from vigie.gateways.mqtt.wire import Refused

LIMIT = 1_500_000


@pytest_asyncio.fixture(loop_scope="session")
async def small(engines: Engines, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A broker of its own whose stream holds little."""
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
    assert broker.url(SYSTEM_USER)
    try:
        yield runtime
    finally:
        await runtime.close()
        await broker.stop()


async def publish_until_cut(runtime: Runtime, client: Issued, acknowledged: set[int]) -> None:
    """A device that sends its next message once the last was acknowledged."""
    connection = await connect(runtime, client)
    try:
        async with asyncio.timeout(30):
            while True:
                number = len(acknowledged)
                await connection.publish(
                    f"up/{client.shard}/{client.token}/reading",
                    b"%010d" % number + b"x" * 2000,
                    number % 60_000 + 1,
                )
                acknowledged.add(number)
    except OSError:
        await connection.close()


async def read_all(runtime: Runtime) -> list[int]:
    """What the ingest would read, acknowledged to the stream."""
    pulled = await runtime.bus.jetstream().pull_subscribe_bind(
        consumer=UPWARD.reader(0), stream=STREAM
    )
    found: list[int] = []
    while True:
        try:
            messages = await pulled.fetch(200, timeout=1)
        except TimeoutError:
            return found
        found += [int(message.data[:10]) for message in messages]
        await messages[-1].ack()


async def written(runtime: Runtime) -> tuple[bool, str] | None:
    """Admission as the system page reads it."""
    async with runtime.database.unit() as unit:
        row = (await unit.execute(text("select * from gateways.admission"))).one_or_none()
    return (row.open, row.reason) if row else None


async def test_the_full_stream(small: Runtime) -> None:
    acknowledged: set[int] = set()
    async with running(small) as gateway:
        client = await issue(small, gateway)
        await publish_until_cut(small, client, acknowledged)
        async with asyncio.timeout(30):
            while gateway.admission.open:
                await asyncio.sleep(0.05)
        state = await stream_state(small.bus)
        assert state.share >= 0.8
        assert state.bytes <= LIMIT
        assert small.component("admission").code == "admission_closed"
        with pytest.raises(Refused):
            await connect(small, client)
        async with asyncio.timeout(30):
            while await written(small) != (False, "stream_full"):
                await asyncio.sleep(0.05)

        kept = await read_all(small)
        assert sorted(kept) == list(range(len(kept)))
        assert acknowledged <= set(kept)
        assert len(kept) - len(acknowledged) <= 1

        async with asyncio.timeout(30):
            while not gateway.admission.open:
                await asyncio.sleep(0.05)
        assert small.component("admission").status == "ok"
        async with await connect(small, client) as connection:
            await connection.publish(f"up/0/{client.token}/reading", b"%010d" % 0)
        async with asyncio.timeout(30):
            while await written(small) != (True, ""):
                await asyncio.sleep(0.05)


async def test_the_brokers_own_limit_refuses_before_the_puback(small: Runtime) -> None:
    """Even with admission asleep: a full stream disconnects instead of acknowledging."""
    acknowledged: set[int] = set()
    async with running(small) as gateway:
        gateway.admission._every_s = 60
        await asyncio.sleep(1)
        client = await issue(small, gateway)
        await publish_until_cut(small, client, acknowledged)
        state = await stream_state(small.bus)
        assert 0.98 < state.share <= 1
        kept = await read_all(small)
    assert acknowledged <= set(kept)
    assert len(kept) - len(acknowledged) <= 1


async def test_messages_wait_for_readers_that_are_away(small: Runtime) -> None:
    """Interest keeps them from the first publish on: the readers are made before the door opens."""
    async with running(small) as gateway:
        client = await issue(small, gateway)
        async with await connect(small, client) as connection:
            for number in range(20):
                await connection.publish(
                    f"up/0/{client.token}/reading", b"%010d" % number, number + 1
                )
    assert await read_all(small) == list(range(20))
