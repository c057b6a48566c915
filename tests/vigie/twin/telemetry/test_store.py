"""Storing and reading, on the real database."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import text

from vigie.core.database import Database
from vigie.core.errors import Invalid, NotFound
from vigie.core.scope import Principal, Scope
from vigie.lighting.kinds import STREETLIGHT
from vigie.twin.telemetry import (
    Arrival,
    Store,
    Wanted,
    clear_pending,
    partitions,
    pending,
    read_history,
    read_state,
    set_desired,
)
from vigie.twin.telemetry.history import step_for

SOMEONE = Principal(None, "someone", "user")
DIJON = Scope(municipalities=frozenset({"21231"}))


async def lights(database: Database, *municipalities: str) -> list[int]:
    """New lights."""
    made: list[int] = []
    async with database.unit() as unit:
        for municipality in municipalities:
            row = await unit.execute(
                text(
                    "insert into twin.asset (token, kind, trade, source, source_id, lon, lat,"
                    " mercator, municipality) values (:t, 'Streetlight', 'lighting', 'test', :t,"
                    " 5, 47, point(0, 0), :m) returning id"
                ),
                {"t": f"t{random.randrange(10**12)}", "m": municipality},
            )
            made.append(row.scalar_one())
    return made


async def put(database: Database, store: Store, messages: list[dict[str, Any]]) -> Any:
    """Store messages {asset, at, n, values}."""
    shapes = {tuple(m["values"]) for m in messages}
    await store.prepare((), [(STREETLIGHT, names) for names in shapes])
    arrivals: list[Arrival] = []
    for m in messages:
        found = store.sets.get(STREETLIGHT, tuple(m["values"]))
        assert found is not None
        values = list(m["values"].values())
        if found.order:
            values = [values[index] for index in found.order]
        at = int(m["at"].timestamp() * 1e6)
        arrivals.append(
            Arrival(m["asset"], m.get("boot", 1), m["n"], at, at + 2_000_000, found, tuple(values))
        )
    await store.prepare(arrivals)
    async with database.unit() as unit:
        return await store.store(unit, arrivals)


NOW = datetime.now(UTC).replace(microsecond=123_000)


async def test_values_come_back_by_name(database: Database) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # not the module's: staleness is told now
    (asset,) = await lights(database, "21231")
    store = Store(database)
    stored = await put(
        database,
        store,
        [{"asset": asset, "at": now, "n": 1, "values": {"activePower": 31.5, "dimmingLevel": 40}}],
    )
    assert (len(stored.fresh), stored.duplicates) == (1, 0)
    await put(
        database, store, [{"asset": asset, "at": now - timedelta(hours=1), "n": 0,
                           "values": {"temperature": 7}}],
    )  # fmt: skip
    async with database.unit() as unit:
        state = (await read_state(unit, [asset]))[asset]
    assert state.at == now
    assert state.values["dimmingLevel"].value == 40
    assert state.values["dimmingLevel"].at == now
    assert not state.values["dimmingLevel"].stale
    assert state.values["temperature"].at == now - timedelta(hours=1)
    assert state.values["temperature"].stale
    assert "supplyVoltage" not in state.values


async def test_a_new_store_goes_on_where_another_stopped(database: Database) -> None:
    (asset,) = await lights(database, "21231")
    messages = [
        {"asset": asset, "at": NOW - timedelta(seconds=60 - n), "n": n,
         "values": {"dimmingLevel": n}}
        for n in range(10)
    ]  # fmt: skip
    await put(database, Store(database), messages[:6])
    stored = await put(database, Store(database), messages[3:])
    assert (len(stored.fresh), stored.duplicates) == (4, 3)


async def test_random_traffic_is_stored_once_and_ends_right(database: Database) -> None:
    """Several devices, shuffled, repeated, in batches, with stores that lose their memory."""
    assets = await lights(database, *["21231"] * 4)
    chance = random.Random(7)
    metrics = ["dimmingLevel", "activePower", "temperature"]
    messages = [
        {
            "asset": asset,
            "at": NOW - timedelta(seconds=chance.randrange(30)),
            "boot": n % 3,
            "n": n,
            "values": {name: float(chance.randrange(100)) for name in
                       chance.sample(metrics, chance.randrange(1, 4))},
        }
        for asset in assets
        for n in range(40)
    ]  # fmt: skip
    traffic = messages + chance.sample(messages, 60)
    chance.shuffle(traffic)
    store = Store(database)
    for start in range(0, len(traffic), 17):
        await put(database, store, traffic[start : start + 17])
        if start % 3 == 0:
            store.forget()
    async with database.unit() as unit:
        counted = await unit.execute(
            text("select count(*), count(distinct (device, boot, n)) from twin.history"
                 " where device = any(:a)"),
            {"a": assets},
        )  # fmt: skip
        assert tuple(counted.one()) == (160, 160)
        states = await read_state(unit, assets)
    for asset in assets:
        for metric in metrics:
            having = [m for m in messages if m["asset"] == asset and metric in m["values"]]
            last = max(having, key=lambda m: (m["at"], m["boot"], m["n"]))
            told = states[asset].values[metric]
            assert (told.value, told.at) == (last["values"][metric], last["at"])


async def test_scope_hides_state_and_history(database: Database) -> None:
    here, there = await lights(database, "21231", "21166")
    await put(
        database,
        Store(database),
        [{"asset": a, "at": NOW, "n": 1, "values": {"dimmingLevel": 1}} for a in (here, there)],
    )
    async with database.unit(SOMEONE, DIJON) as unit:
        assert set(await read_state(unit, [here, there])) == {here}
        assert (await unit.execute(text("select count(*) from twin.state"))).scalar_one() >= 1
        rows = await unit.execute(
            text("select count(*) from twin.state where asset = :a"), {"a": there}
        )
        assert rows.scalar_one() == 0
        span = (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
        assert len((await read_history(unit, here, "dimmingLevel", *span, 10)).t) == 1
        with pytest.raises(NotFound):
            await read_history(unit, there, "dimmingLevel", *span, 10)
        with pytest.raises(Invalid):
            await read_history(unit, here, "speed", *span, 10)
        with pytest.raises(Invalid):
            await read_history(unit, here, "dimmingLevel", span[1], span[0], 10)


async def test_history_in_buckets(database: Database) -> None:
    (asset,) = await lights(database, "21231")
    start = NOW - timedelta(days=2)
    await put(
        database,
        Store(database),
        [
            {"asset": asset, "at": start + timedelta(minutes=10 * n), "n": n,
             "values": {"dimmingLevel": n % 2 * 10}}
            for n in range(200)
        ],
    )  # fmt: skip
    async with database.unit() as unit:
        series = await read_history(unit, asset, "dimmingLevel", start, NOW, 100)
    assert series.resolution == "min30"
    assert len(series.t) <= 100
    assert series.low is not None
    assert series.high is not None
    assert min(series.low) == 0
    assert max(series.high) == 10


async def test_desired_and_pending(database: Database) -> None:
    assets = await lights(database, "21231", "21231")
    async with database.unit() as unit:
        await set_desired(unit, assets, "level", 70)
    async with database.unit() as unit:
        found = await pending(unit, np.array(assets, np.int32))
        assert found == set(assets)
        await clear_pending(unit, assets[:1], "level")
        states = await read_state(unit, assets)
    wanted = [states[a].wanted["level"] for a in assets]
    assert [want.pending for want in wanted] == [False, True]
    assert [want.value for want in wanted] == [70, 70]


async def test_orders_for_different_functions_do_not_know_each_other(database: Database) -> None:
    (asset,) = await lights(database, "21231")
    async with database.unit() as unit:
        await set_desired(unit, [asset], "level", 70)
        await set_desired(unit, [asset], "recording", 1)
        await set_desired(unit, [asset], "message", None)
        await clear_pending(unit, [asset], "level", shown=True)
    async with database.unit() as unit:
        state = (await read_state(unit, [asset]))[asset]
        assert await pending(unit, np.array([asset], np.int32)) == {asset}
    assert state.wanted == {
        "level": Wanted(70, pending=False, shown=True),
        "recording": Wanted(1, pending=True, shown=False),
        "message": Wanted(None, pending=True, shown=False),
    }


async def test_retention_drops_whole_days(
    database: Database, owner: psycopg.AsyncConnection[Any]
) -> None:
    old = date(2020, 1, 5)
    async with database.unit() as unit:
        for day in (old, old + timedelta(days=1)):
            await unit.execute(text("select twin.open_history(:day)"), {"day": day})
    assert await partitions.drop(database, old + timedelta(days=1)) == 1
    assert await partitions.drop(database, old + timedelta(days=1)) == 0
    assert await partitions.drop(database, date(2020, 2, 1)) == 1


async def test_runtime_reads_no_partition_but_through_history(database: Database) -> None:
    day = partitions.day_of(int(NOW.timestamp() * 1e6))
    await partitions.open_day(database, day)
    with pytest.raises(Exception, match="permission denied"):
        async with database.unit() as unit:
            await unit.execute(text(f"select 1 from twin.{partitions.partition(day)}"))


def test_steps() -> None:
    assert step_for(timedelta(days=1), 500)[1] == "min5"
    assert step_for(timedelta(days=30), 500)[1] == "hour2"
    assert step_for(timedelta(days=3000), 2)[1] == "day28"
    for days in range(1, 400):
        seconds, _ = step_for(timedelta(days=days), 500)
        assert days * 86400 / seconds <= 500
