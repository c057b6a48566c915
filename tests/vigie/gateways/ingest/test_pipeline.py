"""The way of a reading, on real engines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.support import ingest
from vigie.core.runtime import Runtime
from vigie.gateways.ingest import ask
from vigie.gateways.ingest.registry import Registry
from vigie.gateways.mqtt.streams import STREAM
from vigie.twin.live.delta import Delta, decode
from vigie.twin.telemetry import set_desired

City = Any
Run = Callable[..., contextlib.AbstractAsyncContextManager[Any]]


@pytest_asyncio.fixture(loop_scope="session")
async def at_work(city: City, run: Run) -> AsyncIterator[dict[str, list[Any]]]:
    """The ingest, and what it told control."""
    told: dict[str, list[Any]] = {"acks": [], "evidence": []}

    async def acknowledge(_unit: Any, acks: Sequence[Any]) -> None:
        told["acks"].extend(acks)

    async def observe(_unit: Any, stored: Sequence[Any]) -> None:
        told["evidence"].extend(stored)

    async with run(ingest.services(city.runtime, acknowledge=acknowledge, observe=observe)):
        yield told


async def history(city: City, device: str) -> list[Any]:
    return await city.rows(
        "select n, boot, vals, lag from twin.history where device = :d order by at, boot, n",
        d=city.assets[device],
    )


async def test_reading_reaches_history_state_and_screens(city: City, at_work: Any) -> None:
    heard: list[Delta] = []

    async def hear(message: Any) -> None:
        heard.append(decode(message.data))

    subscription = await city.runtime.bus.subscribe("live.*", hear)
    await city.send(city.reading("d1", 1))
    await city.drained()
    assert [(row.n, row.boot, row.vals) for row in await history(city, "d1")] == [
        (1, 1, [40.0, 31.5])
    ]
    row = (
        await city.rows(
            "select n, boot, vals, ats from twin.state where asset = :a", a=city.assets["d1"]
        )
    )[0]
    assert (row.n, row.boot, row.vals[:2], row.ats) == (1, 1, [40.0, 31.5], None)
    for _ in range(1500):
        if any(delta.parts for delta in heard):
            break
        await asyncio.sleep(0.02)
    await subscription.unsubscribe()
    ids, _, vals = next(delta for delta in heard if delta.parts).parts[0].columns()
    assert list(ids) == [city.assets["d1"]]
    assert list(vals[0][:2]) == [40.0, 31.5]


async def test_copies_and_late_messages_have_no_double_effect(city: City, at_work: Any) -> None:
    old = city.reading("d3", 1, at=100, values={"dimmingLevel": 10})
    new = city.reading("d3", 2, at=50, values={"dimmingLevel": 20})
    late = city.reading("d3", 3, at=75, values={"dimmingLevel": 30, "temperature": 4})
    for message in (old, new, old, late, new, late):
        await city.send(message)
    await city.drained()
    for message in (late, old, new):
        await city.send(message)
    await city.drained()
    assert [row.n for row in await history(city, "d3")] == [1, 3, 2]
    row = (
        await city.rows(
            "select n, boot, vals, ats from twin.state where asset = :a", a=city.assets["d3"]
        )
    )[0]
    assert row.n == 2
    assert row.vals[0] == 20.0
    assert row.vals[5] == 4.0
    assert abs(row.ats[5].timestamp() - datetime.fromisoformat(late["at"]).timestamp()) < 0.001


async def test_batch_of_readings(city: City, at_work: Any) -> None:
    await city.send([city.reading("d2", n, at=60 - n) for n in range(50)], client="c0", shard=0)
    await city.drained()
    assert len(await history(city, "d2")) == 50


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", "not_json"),
        (b"", "empty"),
        (b"[]", "batch_empty"),
        (b'{"device":"d1"}', "missing_field"),
        (b"\xff\xfe", "not_utf8"),
        ({"device": "d2"}, "foreign_device"),
        ({"device": "nobody"}, "unknown_device"),
        ({"device": "d1", "values": {"dimmingLevel": 400}}, "metric_out_of_range"),
        ({"device": "d1", "values": {"lampFailure": 0.5}}, "metric_out_of_range"),
        ({"device": "d1", "values": {"speed": 4}}, "unknown_metric"),
        ({"device": "d1", "at": datetime(2100, 1, 1, tzinfo=UTC)}, "at_future"),
        ({"device": "d1", "at": datetime(2001, 1, 1, tzinfo=UTC)}, "at_past"),
        (b'{"device":"d1","boot":1,"n":1,"at":1,"values":{"dimmingLevel":NaN}}', "not_json"),
    ],
)
async def test_refused_with_its_reason(city: City, at_work: Any, payload: Any, code: str) -> None:
    await city.send(payload if isinstance(payload, bytes) else city.reading(**payload))
    await city.send(city.reading("d5", city.sent))
    await city.drained()
    rows = await city.rows("select code, source, topic from gateways.quarantine order by id")
    assert (rows[-1].code, rows[-1].source, rows[-1].topic) == (code, "c1", "up/1/c1/reading")
    assert (await history(city, "d5"))[-1].n == city.sent - 1


async def test_only_what_is_waited_for_is_observed(city: City, at_work: Any) -> None:
    async with city.runtime.database.unit() as unit:
        await set_desired(unit, [city.assets["d7"]], "level", 55)
    await city.send(city.reading("d7", 1, values={"dimmingLevel": 55, "activePower": 3}))
    await city.send(city.reading("d9", 1))
    command = uuid4()
    await city.send(
        {"id": str(command), "device": "d7", "at": city.reading()["at"], "status": "done"},
        channel="ack",
    )
    await city.drained()
    assert [(e.asset, e.values) for e in at_work["evidence"]] == [
        (city.assets["d7"], {"dimmingLevel": 55.0, "activePower": 3.0})
    ]
    assert [(a.command, a.asset, a.status) for a in at_work["acks"]] == [
        (command, city.assets["d7"], "done")
    ]


async def test_a_failing_observer_costs_no_reading(city: City, run: Run) -> None:
    async def observe(unit: Any, _stored: Sequence[Any]) -> None:
        await unit.execute(text("select 1 / 0"))

    async with city.runtime.database.unit() as unit:
        await set_desired(unit, [city.assets["d7"]], "level", 55)
    async with run(ingest.services(city.runtime, observe=observe)):
        await city.send(city.reading("d7", 77))
        await city.drained()
    assert 77 in [row.n for row in await history(city, "d7")]
    rows = await city.rows("select code from gateways.quarantine where topic like '%reading'")
    assert "unstorable" not in [row.code for row in rows]


async def test_device_issued_just_now_is_known(city: City, at_work: Any) -> None:
    async with city.runtime.database.unit() as unit:
        await city.add_light(unit, 101)
    await city.runtime.bus.publish("gateways.changed")
    await asyncio.sleep(0.8)
    await city.send(city.reading("d101", 1))
    await city.drained()
    assert len(await history(city, "d101")) == 1


async def test_poison_is_set_aside_and_its_neighbours_are_stored(city: City, run: Run) -> None:
    """A message that makes the transaction fail costs only itself."""

    async def acknowledge(unit: Any, acks: Sequence[Any]) -> None:
        if any(ack.detail == "poison" for ack in acks):
            await unit.execute(text("select 1 / 0"))

    before = len(await history(city, "d9"))
    for n in range(20):
        await city.send(city.reading("d9", 100 + n, at=20 - n))
        if n == 7:
            await city.send(
                {
                    "id": str(uuid4()),
                    "device": "d9",
                    "at": city.reading()["at"],
                    "status": "done",
                    "detail": "poison",
                },
                channel="ack",
            )
    async with run(ingest.services(city.runtime, acknowledge=acknowledge)):
        await city.drained()
    assert len(await history(city, "d9")) == before + 20
    rows = await city.rows("select code from gateways.quarantine order by id desc limit 1")
    assert rows[0].code == "unstorable"


async def test_nothing_is_lost_when_a_reader_dies_with_its_hands_full(city: City, run: Run) -> None:
    """Delivered and not committed: the next reader gets them at once, in order."""
    for n in range(300):
        await city.send(city.reading("d5", 5000 + n, at=400 - n))
    await city.client.flush()
    js = city.runtime.bus.jetstream()
    stolen = await (await js.pull_subscribe_bind("ingest-1", STREAM)).fetch(100)
    assert len(stolen) == 100
    async with run(ingest.services(city.runtime)):
        await city.drained()
    stored = [row.n for row in await history(city, "d5") if row.n >= 5000]
    assert stored == list(range(5000, 5300))


async def test_a_thief_beside_the_reader_is_noticed(city: City, run: Run) -> None:
    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d5", 6000, at=99))
        await city.drained()
        js = city.runtime.bus.jetstream()
        thief = await js.pull_subscribe_bind("ingest-1", STREAM)
        theft = asyncio.create_task(thief.fetch(20, timeout=2))
        for n in range(200):
            await city.send(city.reading("d5", 6001 + n, at=98 - n / 10))
            if n % 20 == 0:
                await asyncio.sleep(0.02)
        with contextlib.suppress(Exception):
            await theft
        await city.drained()
    stored = [row.n for row in await history(city, "d5") if row.n >= 6000]
    assert sorted(stored) == list(range(6000, 6201))


async def test_reader_that_vanished_is_made_again(city: City, run: Run) -> None:
    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d5", 7000, at=40))
        await city.drained()
        await ask(city.runtime.bus, f"$JS.API.CONSUMER.DELETE.{STREAM}.ingest-1", {})
        for _ in range(300):
            info = await ask(city.runtime.bus, f"$JS.API.CONSUMER.INFO.{STREAM}.ingest-1", {})
            if "error" not in info:
                break
            await asyncio.sleep(0.1)
        await city.send(city.reading("d5", 7001, at=39))
        await city.drained()
    assert 7001 in [row.n for row in await history(city, "d5")]


async def test_two_processes_one_reader_a_lane(city: City, run: Run) -> None:
    """The second stands by, and takes over where the first stopped."""
    first = ingest.services(city.runtime)
    async with run(first) as tasks:
        await city.send(city.reading("d5", 8000, at=30))
        await city.drained()
        async with run(ingest.services(city.runtime)):
            await city.send(city.reading("d5", 8001, at=29))
            await city.drained()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await city.send(city.reading("d5", 8002, at=28))
            await city.drained()
    assert [row.n for row in await history(city, "d5") if row.n >= 8000] == [8000, 8001, 8002]


async def test_a_frozen_leader_commits_nothing(city: City, run: Run) -> None:
    """Its epoch is past: the transaction fails, the messages stay."""
    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d5", 9000, at=20))
        await city.drained()
        async with city.runtime.database.unit() as unit:
            await unit.execute(text("update twin.ingest set epoch = epoch + 1000"))
        await city.send(city.reading("d5", 9001, at=19))
        await asyncio.sleep(0.3)
        assert await city.waiting() == 1
        async with city.runtime.database.unit() as unit:
            await unit.execute(text("update twin.ingest set epoch = 0"))
        await city.drained()
    assert 9001 in [row.n for row in await history(city, "d5")]


async def test_another_life_of_the_broker_is_read_from_its_start(city: City, run: Run) -> None:
    """Positions of a stream that lost its end mean nothing: numbers are given again."""
    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d5", 9500, at=10))
        await city.drained()
    async with city.runtime.database.unit() as unit:
        await unit.execute(
            text("update twin.ingest set position = position + 1000, broker = 'before'")
        )
    kept = city.reading("d5", 9501, at=9)
    await city.send(kept)
    await city.send(kept)
    async with run(ingest.services(city.runtime)):
        await city.drained()
    assert [row.n for row in await history(city, "d5") if row.n >= 9500] == [9500, 9501]


async def messages(city: City, client: str = "c1") -> int:
    """How many messages the platform says that a client sent."""
    return await city.scalar(
        "select coalesce(max(p.messages), 0) from gateways.presence p"
        " join gateways.client c on c.id = p.client where c.token = :client",
        client=client,
    )


async def counted(city: City, expected: int) -> None:
    """Counts are written once a second; longer than that, they are wrong."""
    for _ in range(200):
        if await messages(city) >= expected:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    assert await messages(city) == expected


async def test_a_bisected_batch_is_counted_once(city: City, run: Run) -> None:
    async def acknowledge(unit: Any, acks: Sequence[Any]) -> None:
        if any(ack.detail == "poison" for ack in acks):
            await unit.execute(text("select 1 / 0"))

    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d9", 20_000))
        await city.drained()
        await asyncio.sleep(2.5)
    before = await messages(city)
    for n in range(20):
        await city.send(city.reading("d9", 20_001 + n, at=20 - n))
    await city.send(
        {
            "id": str(uuid4()),
            "device": "d9",
            "at": city.reading()["at"],
            "status": "done",
            "detail": "poison",
        },
        channel="ack",
    )
    async with run(ingest.services(city.runtime, acknowledge=acknowledge)):
        await city.drained()
        await counted(city, before + 21)


async def test_a_failed_transaction_loses_no_count(city: City, run: Run) -> None:
    """Neither its own messages nor those that were stored before and not yet written down."""
    failed: set[str] = set()

    async def acknowledge(_unit: Any, acks: Sequence[Any]) -> None:
        fresh = {str(ack.command) for ack in acks} - failed
        failed.update(fresh)
        if fresh:
            raise OSError("the database went away")

    before = await messages(city)
    async with run(ingest.services(city.runtime, acknowledge=acknowledge)):
        for n in range(12):
            await city.send(city.reading("d9", 21_000 + n, at=20 - n))
            if n % 4 == 3:
                await city.send(
                    {"id": str(uuid4()), "device": "d9", "at": city.reading()["at"],
                     "status": "done"},
                    channel="ack",
                )  # fmt: skip
            await asyncio.sleep(0.3)
        await city.drained()
        await counted(city, before + 15)
    assert len(failed) == 3


async def test_the_registry_gives_its_subscriptions_back(city: City, run: Run) -> None:
    """A service that is started again and again leaves nothing behind on the connection."""
    registry = Registry(city.runtime)
    before = len(city.client._subs)
    for _ in range(3):
        async with run({"registry": registry.keep}):
            async with asyncio.timeout(30):
                while len(city.client._subs) < before + 3:
                    await asyncio.sleep(0.01)
    assert len(city.client._subs) == before


async def introduce(city: City, number: int) -> None:
    """A light that no other test speaks for."""
    async with city.runtime.database.unit() as unit:
        await city.add_light(unit, number)
    await city.runtime.bus.publish("gateways.changed")
    await asyncio.sleep(0.8)


async def test_a_copy_with_another_time_changes_nothing(city: City, at_work: Any) -> None:
    """(device, boot, n) names a reading: a gateway that stamps its copies anew makes no dead
    sensor alive."""
    await introduce(city, 201)
    first = city.reading("d201", 118, boot=7, at=120, values={"activePower": 21})
    await city.send(first)
    await city.drained()
    before = await city.state("d201")
    count = len(await history(city, "d201"))
    for ago in (60, 0, 240):
        await city.send(city.reading("d201", 118, boot=7, at=ago, values={"activePower": 77}))
    await city.drained()
    assert len(await history(city, "d201")) == count
    assert (await city.state("d201")).vals[1] == before.vals[1] == 21
    assert await city.scalar(
        "select at from twin.state where asset = :a", a=city.assets["d201"]
    ) == datetime.fromisoformat(first["at"])
    # The same after a restart, of which the copy knows nothing.
    await city.send(city.reading("d201", 1, boot=8, at=20))
    await city.send(city.reading("d201", 118, boot=7, at=10, values={"activePower": 77}))
    await city.drained()
    assert (await city.state("d201")).boot == 8
    # The same when newer ones came between, before its batch or in it.
    for n, ago in ((1190, 10.9), (1200, 10.8)):
        await city.send(city.reading("d201", n, boot=8, at=ago))
    await city.drained()
    count = len(await history(city, "d201"))
    await city.send(city.reading("d201", 1190, boot=8, values={"activePower": 77}))
    await city.send(
        [
            city.reading("d201", 1210, boot=8, at=8),
            city.reading("d201", 1211, boot=8, at=7),
            city.reading("d201", 1210, boot=8, at=6, values={"activePower": 77}),
        ]
    )
    await city.drained()
    assert [row.n for row in await history(city, "d201")][count:] == [1210, 1211]
    assert (await city.state("d201")).n == 1211


async def test_new_readings_whose_numbers_do_not_grow_are_kept(city: City, at_work: Any) -> None:
    """A replaced device begins again; one that mixes up its numbers loses nothing."""
    await introduce(city, 203)
    for n, boot, ago in ((50, 7, 30), (48, 7, 29), (0, 0, 28), (1, 0, 27), (0, 1, 26)):
        await city.send(city.reading("d203", 7000 * (boot == 7) + n, boot=boot, at=ago))
        await city.drained()
    rows = [(row.n, row.boot) for row in await history(city, "d203")]
    assert rows[-5:] == [(7050, 7), (7048, 7), (0, 0), (1, 0), (0, 1)]


async def test_what_a_client_sends_above_its_share_is_stored_last_and_counted_once(
    city: City, run: Run
) -> None:
    before = await messages(city)
    settings = msgspec.structs.replace(city.runtime.settings, client_messages_per_s=20)
    small = Runtime(settings, "test", city.runtime.database, city.runtime.bus)
    for n in range(120):
        await city.send(city.reading("d3", 30_000 + n, at=60 - n / 4))
    await city.send(b"not a reading")
    async with run(ingest.services(small)):
        await city.drained()
        parked = await city.scalar("select coalesce(sum(messages), 0) from gateways.parked")
        assert await city.scalar("select count(*) from gateways.parked where client <> 'c1'") == 0
        async with asyncio.timeout(30):
            while await city.scalar("select count(*) from gateways.parked"):
                await asyncio.sleep(0.05)
        await counted(city, before + 121)
    assert parked >= 0
    stored = [row.n for row in await history(city, "d3") if row.n >= 30_000]
    assert stored == list(range(30_000, 30_120))


async def test_parked_messages_survive_the_process(city: City, run: Run) -> None:
    """Each is either in the stream or parked or stored, whenever the process ends."""
    settings = msgspec.structs.replace(city.runtime.settings, client_messages_per_s=1)
    small = Runtime(settings, "test", city.runtime.database, city.runtime.bus)
    for n in range(400):
        await city.send(city.reading("d3", 40_000 + n, at=450 - n))
    for _ in range(3):
        async with run(ingest.services(small)):
            await asyncio.sleep(0.4)
    async with run(ingest.services(small)):
        await city.drained()
        async with asyncio.timeout(30):
            while await city.scalar("select count(*) from gateways.parked"):
                await asyncio.sleep(0.05)
    stored = [row.n for row in await history(city, "d3") if row.n >= 40_000]
    assert stored == list(range(40_000, 40_400))
