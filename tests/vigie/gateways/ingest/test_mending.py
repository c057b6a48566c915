"""What a person mends: causes of quarantine, clocks that are wrong, sensors that are off."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support import ingest
from vigie.core import clock
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.gateways.clients import bind
from vigie.gateways.clients.calibration import SOONEST, calibrate, read_calibrations
from vigie.gateways.clients.presence import Presence
from vigie.gateways.clients.service import set_clock
from vigie.gateways.ingest.replay import Replayed, replay
from vigie.gateways.ingest.skew import Skews
from vigie.gateways.ingest.validate import calibrated

City = Any
Run = Callable[..., contextlib.AbstractAsyncContextManager[Any]]


async def history(city: City, device: str) -> list[Any]:
    return await city.rows(
        "select n, at, lag, vals from twin.history where device = :d order by at, boot, n",
        d=city.assets[device],
    )


async def quarantined(city: City) -> list[Any]:
    return await city.rows("select * from gateways.quarantine order by id")


async def await_count(city: City, device: str, count: int) -> None:
    async with asyncio.timeout(30):
        while len(await history(city, device)) < count:
            await asyncio.sleep(0.05)


async def test_replay_after_mending_goes_through_exactly_once(city: City, run: Run) -> None:
    """A device that nobody had added; a batch with one bad element; and twice the same button."""
    sent = [city.reading("d301", n, at=60 - n) for n in range(5)]
    async with run(ingest.services(city.runtime)):
        for message in sent:
            await city.send(message)
        await city.send([sent[4], city.reading("d1", 5, values={"dimmingLevel": 400})])
        await city.drained()
        rows = await quarantined(city)
        assert [row.code for row in rows] == ["unknown_device"] * 6 + ["metric_out_of_range"]

        async with city.runtime.database.unit() as unit:
            await city.add_light(unit, 301)
        ids = [row.id for row in rows]

        async def press() -> Replayed:
            async with city.runtime.database.unit() as unit:
                return await replay(unit, ids=ids)

        answers = await asyncio.gather(press(), press())
        assert sorted(answer.sent for answer in answers) == [0, 7]
        await await_count(city, "d301", 5)
        async with asyncio.timeout(30):
            while await city.scalar("select count(*) from gateways.parked"):
                await asyncio.sleep(0.05)
    stored = await history(city, "d301")
    assert [row.n for row in stored] == [0, 1, 2, 3, 4], "the sixth is a copy"
    assert max(row.lag for row in stored) <= 70, "dated by its own time of receipt"
    rows = await quarantined(city)
    assert [row.code for row in rows if row.replayed is None] == ["metric_out_of_range"]
    assert rows[-1].topic == "up/1/c1/reading"


async def test_what_is_no_more_whole_is_not_sent_again(city: City, run: Run) -> None:
    async with run(ingest.services(city.runtime)):
        await city.send(b"{" + b" " * 5000)
        await city.drained()
    (row,) = await city.rows("select * from gateways.quarantine where size > 5000")
    async with city.runtime.database.unit() as unit:
        assert await replay(unit, ids=[row.id]) == Replayed(sent=0, cut=1)
        for wrong in ({}, {"ids": [1], "source": "c1", "code": "x"}, {"ids": [1] * 1001}):
            with pytest.raises(Invalid):
                await replay(unit, **wrong)


async def test_a_replay_survives_the_process(city: City, run: Run) -> None:
    async with run(ingest.services(city.runtime)):
        for n in range(30):
            await city.send(city.reading("d303", n, at=90 - n))
        await city.drained()
    async with city.runtime.database.unit() as unit:
        await city.add_light(unit, 303)
        assert (await replay(unit, source="c1", code="unknown_device")).sent == 30
    for _ in range(3):
        async with run(ingest.services(city.runtime)):
            await asyncio.sleep(0.2)
    async with run(ingest.services(city.runtime)):
        await await_count(city, "d303", 30)
    assert [row.n for row in await history(city, "d303")] == list(range(30))


async def test_a_clock_that_is_wrong_is_measured_and_can_be_done_without(
    city: City, run: Run
) -> None:
    async def skew() -> float | None:
        return await city.scalar(
            "select p.skew_s from gateways.presence p"
            " join gateways.client c on c.id = p.client where c.token = 'c0'"
        )

    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d2", 1, at=200), client="c0", shard=0)
        async with asyncio.timeout(30):
            while await skew() is None:
                await asyncio.sleep(0.05)
        assert abs((await skew() or 0) + 200) < 5

    class Nobody:
        known, of = True, {}

        def __init__(self) -> None:
            self.listeners: list[Any] = []

    connections: Any = Nobody()
    presence = Presence(city.runtime, "mqtt", connections, lambda: asyncio.sleep(0))
    await presence._watch()
    component = city.runtime.component("clocks")
    assert (component.code, component.params["first"]) == ("clocks_wrong", ["c0"])

    async with city.runtime.database.unit() as unit:
        await set_clock(unit, city.runtime.bus, "c0", "server")
    await presence._watch()
    assert component.status == "ok"
    then = datetime(2001, 1, 1, tzinfo=UTC)
    async with run(ingest.services(city.runtime)):
        # Alone: the time of receipt; in a batch, the newest of it, and the distances stay.
        await city.send(city.reading("d4", 1, at=then), client="c0", shard=0)
        await city.send(
            [city.reading("d6", n, at=then - timedelta(seconds=60 * n)) for n in (2, 1, 0)],
            client="c0", shard=0,
        )  # fmt: skip
        await city.drained()
    now = clock.now()
    (alone,) = await history(city, "d4")
    assert abs((now - alone.at).total_seconds()) < 60
    batch = await history(city, "d6")
    assert [(batch[2].at - row.at).total_seconds() for row in batch] == [120, 60, 0]
    assert abs((now - batch[2].at).total_seconds()) < 60
    async with city.runtime.database.unit() as unit:
        await set_clock(unit, city.runtime.bus, "c0", "device")


async def test_calibration_applies_from_its_moment_on_and_raw_can_be_derived(
    city: City, run: Run
) -> None:
    asset, bus = city.assets["d8"], city.runtime.bus
    async with city.runtime.database.unit() as unit:
        made = await calibrate(
            unit, bus, asset, "activePower", factor=2.0, offset=-1.5, reason="pince 0.5%"
        )
        assert made.valid_from >= datetime.now(UTC) + SOONEST - timedelta(seconds=5)
        assert await read_calibrations(unit, asset) == [made]
        for wrong in (
            {"metric": "speed"}, {"metric": "lampFailure"}, {"factor": 0.0},
            {"factor": float("nan")}, {"offset": 1e10}, {"reason": " "},
            {"valid_from": datetime.now(UTC)},
        ):  # fmt: skip
            given_ = {"metric": "activePower", "factor": 1.0, "offset": 0.0, "reason": "x"} | wrong
            with pytest.raises(Invalid):
                await calibrate(unit, bus, asset, given_.pop("metric"), **given_)
        with pytest.raises(NotFound):
            await calibrate(unit, bus, 10**8, "activePower", factor=1, offset=0, reason="x")
        with pytest.raises(Conflict):
            await calibrate(
                unit, bus, asset, "activePower", factor=1, offset=0, reason="x",
                valid_from=made.valid_from,
            )  # fmt: skip
        # As if it had begun a minute ago: nobody waits six minutes in a test.
        await unit.execute(
            text(
                "insert into gateways.calibration (asset, metric, valid_from, factor,"
                " \"offset\", reason, municipality, trade) values (:a, 'dimmingLevel',"
                " now() - interval '1 minute', 0.5, 10, 'test', '21231', 'lighting')"
            ),
            {"a": asset},
        )
    async with run(ingest.services(city.runtime)):
        await city.send(city.reading("d8", 1, at=90), client="c0", shard=0)
        await city.send(city.reading("d8", 2, at=30), client="c0", shard=0)
        await city.send(
            city.reading("d8", 3, values={"activePower": 7, "dimmingLevel": 98}),
            client="c0", shard=0,
        )  # fmt: skip
        await city.drained()
    rows = await history(city, "d8")
    assert [row.vals[0] for row in rows] == [40.0, 30.0, 59.0]
    assert [row.vals[1] for row in rows] == [31.5, 31.5, 7.0]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(0.1, 10), st.floats(-50, 50)), max_size=5),
    st.floats(-100, 100),
    st.integers(0, 120),
)
def test_the_newest_calibration_that_has_begun_counts(
    begun: list[tuple[int, float, float]], raw: float, at: int
) -> None:
    ordered = sorted(begun, key=lambda one: -one[0])
    found = calibrated({"m": ordered}, ("m", "other"), (raw, raw), at)
    in_force = next((one for one in ordered if one[0] <= at), (0, 1.0, 0.0))
    assert found[0] == pytest.approx(in_force[1] * raw + in_force[2])
    assert (found[0] - in_force[2]) / in_force[1] == pytest.approx(raw, abs=1e-6)
    assert found[1] == raw


def test_a_backlog_does_not_make_a_clock_wrong() -> None:
    skews = Skews()
    for second in range(0, 600, 10):
        skews.add("c", second * 10**9, 500_000)
    for n in range(5_000):
        skews.add("c", 600 * 10**9 + n * 10**6, -3_600_000_000)
    assert skews.medians() == {"c": 0.5}
    assert skews.medians() == {}


async def test_a_device_may_have_a_name_of_its_clients(city: City) -> None:
    async with city.runtime.database.unit() as unit:
        assets = [city.assets["d1"], city.assets["d3"]]
        await bind(unit, city.runtime.bus, "c1", assets, {assets[0]: "imei-1"})
        with pytest.raises(Conflict):
            await bind(unit, city.runtime.bus, "c1", assets[1:], {assets[1]: "imei-1"})
        # Bound again: the same name, or another.
        await bind(unit, city.runtime.bus, "c1", assets, {assets[0]: "imei-1"})
        await bind(unit, city.runtime.bus, "c1", assets, {assets[1]: "imei-1"})
