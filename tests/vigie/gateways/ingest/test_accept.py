"""The way in for protocols without a broker: what `accept` returned for is stored once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support import ingest
from vigie.core.errors import Forbidden, Invalid, TooMany, Unavailable
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.gateways.clients import ACCEPTED, issue_client, revoke
from vigie.gateways.ingest import (
    ACCEPTED_STREAM,
    Events,
    Intake,
    Positions,
    Raw,
    Readings,
    Sinks,
    ask,
)
from vigie.gateways.ingest.accepted import AcceptedFormat, number
from vigie.gateways.ingest.intake import pack
from vigie.twin.track import Stored

City = Any
Run = Callable[..., contextlib.AbstractAsyncContextManager[Any]]
VALUES = {"dimmingLevel": 40.0, "activePower": 31.5}


def now(ago: float = 0) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=ago)


class Peer:
    """A client of another protocol with lights of its own."""

    def __init__(self, city: City, intake: Intake, token: str, secret: str) -> None:
        self.city, self.intake, self.token, self.secret = city, intake, token, secret

    async def light(self, number_: int, ref: str | None = None, kind: str = "Streetlight") -> str:
        """One light more (or equipment of another kind); its token."""
        name = f"d{number_}"
        async with self.city.runtime.database.unit() as unit:
            await self.city.add_light(unit, number_)
            await unit.execute(
                text(
                    "update gateways.device set client ="
                    " (select id from gateways.client where token = :token), ref = :ref"
                    " where asset = :asset"
                ),
                {"token": self.token, "asset": self.city.assets[name], "ref": ref},
            )
            await unit.execute(
                text("update twin.asset set kind = :kind where id = :asset"),
                {"kind": kind, "asset": self.city.assets[name]},
            )
        await self.city.runtime.bus.publish("gateways.changed")
        await asyncio.sleep(0.8)
        return name

    def reading(self, device: str, ago: float = 0, **more: Any) -> Readings:
        return Readings(self.token, device, now(ago), more.pop("values", VALUES), **more)

    async def drained(self, within_s: float = 60) -> None:
        async with asyncio.timeout(within_s):
            while True:
                info = await ask(
                    self.city.runtime.bus, f"$JS.API.STREAM.INFO.{ACCEPTED_STREAM.name}", {}
                )
                if not info["state"]["messages"]:
                    return
                await asyncio.sleep(0.05)

    async def history(self, device: str) -> list[Any]:
        return await self.city.rows(
            "select n, boot, at, vals from twin.history where device = :d order by at, boot, n",
            d=self.city.assets[device],
        )

    async def quarantined(self) -> list[Any]:
        return await self.city.rows(
            "select * from gateways.quarantine where source = :s order by id", s=self.token
        )


@pytest_asyncio.fixture(loop_scope="session")
async def peer(city: City) -> AsyncIterator[Peer]:
    """A client, and an intake that is open."""
    intake = Intake(city.runtime)
    tasks = [asyncio.create_task(service()) for service in intake.services().values()]
    try:
        async with asyncio.timeout(30):
            await intake.ready.wait()
        # The broker is shared by test modules, each with a database of its own.
        await ask(city.runtime.bus, f"$JS.API.STREAM.PURGE.{ACCEPTED_STREAM.name}", {})
        async with city.runtime.database.unit() as unit:
            issued = await issue_client(
                unit, city.runtime.bus, name="peer", kind="site", shards=1, protocol="line",
                stream=ACCEPTED,
            )  # fmt: skip
        async with asyncio.timeout(30):
            while intake.book.get(issued.token) is None:
                await asyncio.sleep(0.01)
        yield Peer(city, intake, issued.token, issued.secret)
    finally:
        await end(tasks)


def lanes(runtime: Runtime, **more: Any) -> dict[str, Any]:
    return ingest.services(runtime, streams=(ACCEPTED_STREAM,), **more)


async def test_a_reading_is_stored_by_its_token_or_by_its_clients_name(
    city: City, peer: Peer, run: Run
) -> None:
    first, second = await peer.light(501), await peer.light(502, "imei-7")
    await peer.intake.accept(
        [peer.reading(first, 3), peer.reading("imei-7", 2), peer.reading(first, 1, boot=1, n=7)]
    )
    async with run(lanes(city.runtime)):
        await peer.drained()
    assert [row.vals for row in await peer.history(second)] == [[40.0, 31.5]]
    rows = await peer.history(first)
    assert len(rows) == 2
    assert (rows[1].boot, rows[1].n) == (1, 7)
    assert await peer.quarantined() == []


async def test_what_is_sent_again_is_kept_once(city: City, peer: Peer, run: Run) -> None:
    """The peer saw no answer: same content, same digest."""
    device = await peer.light(503)
    message = peer.reading(device, 5)
    for _ in range(3):
        await peer.intake.accept([message])
    async with run(lanes(city.runtime)):
        await peer.drained()
        await peer.intake.accept([message])
        await peer.drained()
    assert len(await peer.history(device)) == 1


async def test_reading_the_stream_again_has_no_double_effect(
    city: City, peer: Peer, run: Run
) -> None:
    """Devices that number nothing get the same number each time."""
    device = await peer.light(504)
    sent = [peer.reading(device, 20 - n / 2, values={"dimmingLevel": n}) for n in range(40)]
    await peer.intake.accept(sent)

    async def fails(_unit: Any, _acks: Any) -> None:
        raise OSError("away")

    kept: list[Any] = []

    async def track(_unit: Any, positions: Sequence[Any]) -> Stored:
        kept.extend(positions)
        if len(kept) == 1:
            raise OSError("the database went away")
        return Stored()

    vehicle = await peer.light(517, kind="Vehicle")
    await peer.intake.accept([Positions(peer.token, vehicle, now(), 5.0, 47.3)])
    async with run(lanes(city.runtime, sinks=Sinks(tracks=track))):
        await peer.drained()
    assert len(kept) == 2
    rows = await peer.history(device)
    assert [row.vals[0] for row in rows] == [float(n) for n in range(40)]
    assert len({(row.boot, row.n) for row in rows}) == 40


async def test_events_and_positions_go_to_their_sinks(city: City, peer: Peer, run: Run) -> None:
    device = await peer.light(505, kind="Vehicle")
    events: list[Any] = []
    tracks: list[Any] = []

    async def event(_unit: Any, items: Sequence[Any]) -> None:
        events.extend(items)

    async def track(_unit: Any, items: Sequence[Any]) -> Stored:
        tracks.extend(items)
        return Stored()

    at = now(4)
    await peer.intake.accept(
        [
            Events(peer.token, device, at, "doorForced", {"door": 3.0, "by": None}, "e1"),
            Positions(peer.token, device, at, 5.04, 47.32, 245.0, 8.3, 90.0, 4.0, 9, True),
            Positions(peer.token, device, at, 200.0, 47.32),
            Positions(peer.token, "nobody", at, 5.0, 47.32),
        ]
    )
    async with run(lanes(city.runtime, sinks=Sinks(event, track))):
        await peer.drained()
    asset = city.assets[device]
    assert [(e.asset, e.name, e.fields, e.id) for e in events] == [
        (asset, "doorForced", {"door": 3.0, "by": None}, "e1")
    ]
    assert [(p.asset, p.lon, p.lat, p.speed_m_s, p.satellites) for p in tracks] == [
        (asset, 5.04, 47.32, 8.3, 9)
    ]
    assert abs((tracks[0].at - at).total_seconds()) < 0.002
    assert [row.code for row in await peer.quarantined()] == [
        "position_out_of_range", "unknown_device",
    ]  # fmt: skip


async def test_without_a_sink_nothing_is_lost(city: City, peer: Peer, run: Run) -> None:
    device = await peer.light(506)
    await peer.intake.accept(
        [Events(peer.token, device, now(), "badge", {"n": float(n)}) for n in range(150)]
    )
    async with run(lanes(city.runtime)):
        await peer.drained()
    rows = await peer.quarantined()
    assert [row.code for row in rows] == ["no_sink"] * 150
    content = AcceptedFormat().all(
        Raw(0, 0, b"", rows[7].payload, 0),
        None,
        timely=True,  # type: ignore[arg-type]
    )
    assert content.events[0].fields == {"n": 7.0}


async def test_who_may_not_send_is_refused_and_nothing_is_kept(city: City, peer: Peer) -> None:
    with pytest.raises(Forbidden):
        await peer.intake.accept([Readings("nobody", "d", now(), VALUES)])
    # A client of the broker's stream: its assets have another writer.
    with pytest.raises(Forbidden):
        await peer.intake.accept([Readings("c1", "d1", now(), VALUES)])
    for faulty in (
        Readings(peer.token, "", now(), VALUES),
        Readings(peer.token, "d", datetime.now(), VALUES),
        Readings(peer.token, "d", now(), {}),
        Readings(peer.token, "d", now(), VALUES, boot=1),
        Readings(peer.token, "d", now(), VALUES, boot=40_000, n=1),
    ):
        with pytest.raises(Invalid):
            await peer.intake.accept([faulty])
    assert peer.intake.login("line", peer.token, peer.secret).token == peer.token
    for protocol, token, secret in (
        ("line", "nobody", ""), ("line", peer.token, "x"), ("other", peer.token, peer.secret),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            peer.intake.login(protocol, token, secret)
    async with city.runtime.database.unit() as unit:
        await revoke(unit, city.runtime.bus, peer.token)
    async with asyncio.timeout(30):
        while not peer.intake.book.clients[peer.token].revoked:
            await asyncio.sleep(0.01)
    with pytest.raises(Forbidden):
        await peer.intake.accept([peer.reading("d")])
    info = await ask(city.runtime.bus, f"$JS.API.STREAM.INFO.{ACCEPTED_STREAM.name}", {})
    assert info["state"]["messages"] == 0


async def test_one_client_cannot_take_the_place_of_the_others(city: City, peer: Peer) -> None:
    device = await peer.light(507)
    small = Intake(
        Runtime(
            msgspec.structs.replace(
                city.runtime.settings, client_messages_per_s=10, client_burst_s=1
            ),
            "test", city.runtime.database, city.runtime.bus,
        )
    )  # fmt: skip
    await small.book.load()
    small.ready.set()
    await small.accept([peer.reading(device, n / 10) for n in range(10)])
    with pytest.raises(TooMany):
        await small.accept([peer.reading(device)])


async def test_it_closes_long_before_the_stream_is_full(city: City, peer: Peer) -> None:
    peer.intake.stream = msgspec.structs.replace(
        peer.intake.stream, bytes=int(peer.intake.stream.limit * 0.81)
    )
    peer.intake._judge()
    with pytest.raises(Unavailable, match="waits to be stored"):
        await peer.intake.accept([peer.reading("d1")])
    assert city.runtime.component("intake").code == "admission_closed"


async def test_who_is_connected_is_written_down(city: City, peer: Peer) -> None:
    async def online() -> list[Any]:
        return await city.rows(
            "select p.online, p.address from gateways.presence p"
            " join gateways.client c on c.id = p.client where c.token = :t", t=peer.token,
        )  # fmt: skip

    peer.intake.peers.came(peer.token, "10.0.0.7")
    peer.intake.peers.came(peer.token, "10.0.0.8")
    await peer.intake.peers.flush()
    assert await online() == [(True, "10.0.0.8")]
    peer.intake.peers.gone(peer.token)
    await peer.intake.peers.flush()
    assert (await online())[0].online
    peer.intake.peers.gone(peer.token)
    await peer.intake.peers.flush()
    assert not (await online())[0].online


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60)), max_size=200))
def test_payloads_hold_everything_within_the_limits(told: list[tuple[str, int]]) -> None:
    messages = [
        Readings("c", device, n, {f"m{k}": 1.0 for k in range(size)})
        for n, (device, size) in enumerate(told)
    ]
    payloads = pack(messages)
    read: list[Readings] = []
    for payload in payloads:
        assert len(payload) <= 64 * 1024
        batch = msgspec.msgpack.decode(payload, type=list[Readings])
        assert all([m.device for m in batch].count(d) <= 32 for d in "abc")
        read += batch
    assert read == messages


@given(
    st.lists(
        st.tuples(st.integers(1, 2**40), st.integers(0, 500_000_000), st.integers(0, 31)),
        min_size=2, max_size=2, unique=True,
    )
)  # fmt: skip
def test_numbers_are_different_and_grow_with_time(told: list[tuple[int, int, int]]) -> None:
    numbers = [
        number(Raw(sequence, (1_735_689_600 + second) * 10**9, b"", b"", 0), index)
        for sequence, second, index in told
    ]
    assert all(0 <= boot <= 32_767 and 0 <= n < 2**31 for boot, n in numbers)
    (_, early, _), (_, late, _) = told
    if early != late:
        assert (early < late) == (numbers[0] < numbers[1])
    elif (told[0][0] - told[1][0]) % 4096 or told[0][2] != told[1][2]:
        assert numbers[0] != numbers[1]


STEPS = st.lists(
    st.sampled_from(["send", "send", "unanswered", "resend", "kill", "start", "again"]),
    min_size=4, max_size=14,
)  # fmt: skip


async def test_any_order_of_accept_replay_and_kill_stores_each_once(
    city: City, peer: Peer, run: Run
) -> None:
    """accept; accept whose answer the peer never saw, and sent again; an ingest that is cancelled
    wherever it is; a stream that is read again from its beginning."""
    device = await peer.light(510)
    sequence = 0
    loop = asyncio.get_running_loop()

    async def play(steps: list[str]) -> None:
        nonlocal sequence
        acknowledged: list[int] = []
        unanswered: list[Readings] = []
        tasks: list[asyncio.Task[None]] = []

        async def stop() -> None:
            await end(tasks)
            tasks.clear()

        try:
            for step in steps:
                if step in ("send", "unanswered"):
                    sequence += 1
                    message = peer.reading(
                        device, values={"dimmingLevel": sequence % 100, "activePower": sequence}
                    )
                    await peer.intake.accept([message])
                    if step == "send":
                        acknowledged.append(sequence)
                    else:
                        unanswered.append(message)
                elif step == "resend":
                    for message in unanswered:
                        await peer.intake.accept([message])
                        acknowledged.append(int(message.values["activePower"]))
                    unanswered.clear()
                elif step == "kill":
                    await stop()
                elif step == "start" and not tasks:
                    tasks += [
                        asyncio.create_task(service()) for service in lanes(city.runtime).values()
                    ]
                    await asyncio.sleep(0.03 * len(acknowledged) % 0.3)
                elif step == "again":
                    await stop()
                    async with city.runtime.database.unit() as unit:
                        await unit.execute(
                            text("update twin.ingest set broker = 'other' where lane = 64")
                        )
            for message in unanswered:
                await peer.intake.accept([message])
            if not tasks:
                tasks += [asyncio.create_task(s()) for s in lanes(city.runtime).values()]
            await peer.drained()
        finally:
            await stop()
        stored = [int(row.vals[1]) for row in await peer.history(device)]
        assert sorted(stored) == list(range(1, sequence + 1))

    @settings(max_examples=12, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def whatever(steps: list[str]) -> None:
        asyncio.run_coroutine_threadsafe(play(steps), loop).result()

    await asyncio.to_thread(whatever)
