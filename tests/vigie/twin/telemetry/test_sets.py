"""Numbers of metric sets: no row of history is left with one that names nothing, or another."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.vigie.twin.telemetry.test_store import lights, put
from vigie.core.database import Database
from vigie.core.errors import Unavailable
from vigie.lighting.kinds import STREETLIGHT
from vigie.twin.kinds import Kind, Number
from vigie.twin.telemetry import Arrival, MetricSet, MetricSets, Store, read_history, read_state
from vigie.twin.telemetry import sets as numbering

NOW = datetime.now(UTC).replace(microsecond=0)
METRICS = [metric.name for metric in STREETLIGHT.points]


async def learn(database: Database, sets: MetricSets, *names: str) -> int:
    async with database.unit() as unit:
        await sets.learn(unit, [(STREETLIGHT, names)])
    found = sets.get(STREETLIGHT, names)
    assert found is not None
    return found.id


async def names_of(database: Database, number: int) -> Sequence[str]:
    async with database.unit() as unit:
        row = await unit.execute(
            text("select metrics from twin.metric_set where id = :id"), {"id": number}
        )
        return row.scalar_one()


async def test_a_number_of_a_unit_that_rolled_back_is_not_kept(database: Database) -> None:
    sets = MetricSets()
    names = tuple(METRICS[:2])
    with pytest.raises(ZeroDivisionError):
        async with database.unit() as unit:
            await sets.learn(unit, [(STREETLIGHT, names)])
            raise ZeroDivisionError
    assert sets.get(STREETLIGHT, names) is None
    # Another process takes the number that was free again.
    other = await learn(database, MetricSets(), METRICS[3])
    number = await learn(database, sets, *names)
    assert number != other
    assert list(await names_of(database, number)) == list(names)


async def test_units_that_roll_back_use_no_numbers_up(database: Database) -> None:
    before = await learn(database, MetricSets(), METRICS[4])
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            async with database.unit() as unit:
                await MetricSets().learn(unit, [(STREETLIGHT, (METRICS[5], METRICS[6]))])
                raise ZeroDivisionError
    assert await learn(database, MetricSets(), METRICS[5], METRICS[6]) == before + 1


async def test_two_writers_give_one_set_one_number(database: Database) -> None:
    names = (METRICS[1], METRICS[2], METRICS[3])
    one, other = MetricSets(), MetricSets()
    numbers = await asyncio.gather(
        learn(database, one, *names), learn(database, other, *names[::-1])
    )
    assert numbers[0] == numbers[1]


async def test_a_store_that_forgets_asks_for_its_sets_again(database: Database) -> None:
    store = Store(database)
    await learn(database, store.sets, METRICS[0])
    version = store.sets.version
    store.forget()
    assert store.sets.get(STREETLIGHT, (METRICS[0],)) is None
    assert store.sets.version != version


async def test_no_reading_is_stored_under_a_number_that_names_nothing(database: Database) -> None:
    (asset,) = await lights(database, "21231")
    store = Store(database)
    lost = MetricSet(31_999, STREETLIGHT, ("dimmingLevel",), (0,), None)
    at = int(NOW.timestamp() * 1e6)
    arrival = Arrival(asset, 1, 1, at, at, lost, (5.0,))
    await store.prepare([arrival])
    with pytest.raises(Unavailable, match="does not hold"):
        async with database.unit() as unit:
            await store.store(unit, [arrival])
    async with database.unit() as unit:
        rows = await unit.execute(
            text("select count(*) from twin.history where device = :a"), {"a": asset}
        )
        assert rows.scalar_one() == 0


async def test_sets_are_for_ever(database: Database, owner: psycopg.AsyncConnection[Any]) -> None:
    await learn(database, MetricSets(), METRICS[0])
    for statement in (
        "delete from twin.metric_set",
        "update twin.metric_set set metrics = '{x}'",
        "truncate twin.metric_set",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="none may change"):
            await owner.execute(statement)  # type: ignore[arg-type]


async def test_no_message_is_lost_when_the_numbers_are_used_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.unit() as unit:
        given = await numbering.numbers_given(unit)
    monkeypatch.setattr(numbering, "OWN_SETS", given)
    (asset,) = await lights(database, "21231")
    store = Store(database)

    def message(n: int, ago_s: int, **values: float) -> dict[str, Any]:
        return {"asset": asset, "n": n, "at": NOW - timedelta(seconds=ago_s), "values": values}

    # Names that were never together before, in an order of their own.
    first = message(1, 60, temperature=7, dimmingLevel=40, supplyVoltage=231)
    other = message(2, 60, activePower=31.5, temperature=8)
    await put(database, store, [first])
    found = store.sets.get(STREETLIGHT, tuple(first["values"]))
    assert found is not None
    assert list(await names_of(database, found.id)) == METRICS, "the whole set of the kind"
    # Late, of the same instant, and a copy: what the first did not say is taken from the second.
    stored = await put(database, store, [message(3, 30, dimmingLevel=50, supplyVoltage=230)])
    assert len(stored.fresh) == 1
    stored = await put(database, Store(database), [other, first])
    assert (len(stored.fresh), stored.duplicates) == (1, 1)
    async with database.unit() as unit:
        state = (await read_state(unit, [asset]))[asset].values
        span = (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
        series = {
            name: (await read_history(unit, asset, name, *span, 10)).v
            for name in ("temperature", "dimmingLevel", "supplyVoltage", "activePower")
        }
        day = (NOW - timedelta(days=3), NOW + timedelta(hours=1))
        coarse = await read_history(unit, asset, "activePower", *day, 10)
    assert series == {
        "temperature": [7, 8], "dimmingLevel": [40, 50], "supplyVoltage": [231, 230],
        "activePower": [31.5],
    }  # fmt: skip
    assert coarse.v == [31.5]
    assert {name: value.value for name, value in state.items()} == {
        "temperature": 8, "dimmingLevel": 50, "supplyVoltage": 230, "activePower": 31.5,
    }  # fmt: skip


async def test_a_copy_of_a_padded_message_with_a_lower_rank_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one instant, the greater (boot, n) wins only for what it really said."""
    async with database.unit() as unit:
        given = await numbering.numbers_given(unit)
    monkeypatch.setattr(numbering, "OWN_SETS", given)
    (asset,) = await lights(database, "21231")
    great = {"asset": asset, "n": 9, "at": NOW, "values": {"supplyVoltage": 1, "temperature": 3}}
    small = {"asset": asset, "n": 4, "at": NOW, "values": {"dimmingLevel": 20, "temperature": 1}}
    await put(database, Store(database), [great])
    await put(database, Store(database), [small])
    async with database.unit() as unit:
        state = (await read_state(unit, [asset]))[asset].values
    assert {name: value.value for name, value in state.items()} == {
        "supplyVoltage": 1, "temperature": 3, "dimmingLevel": 20,
    }  # fmt: skip


async def test_a_kind_without_any_number_is_refused_in_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "OWN_SETS", 0)
    monkeypatch.setattr(numbering, "LAST", 0)
    kind = Kind("Bench", "parks", (Number("seats", "", 0, 9), Number("warmth", "", 0, 9)))
    with pytest.raises(Unavailable, match="No number is left for the metrics of Bench"):
        async with database.unit() as unit:
            await MetricSets().learn(unit, [(kind, ("warmth",))])
