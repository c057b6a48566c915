"""Where what moves is: by whatever way a position comes in, it is in state, in the live picture's
commit and in the track; never in history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from vigie.app import ingest
from vigie.operations.kinds import VEHICLE

City = Any


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vehicle(city: City) -> int:
    """d1 is a vehicle."""
    async with city.runtime.database.unit() as unit:
        await unit.execute(
            text("update twin.asset set kind = 'Vehicle', trade = 'operations' where id = :id"),
            {"id": city.assets["d1"]},
        )
    return city.assets["d1"]


async def test_a_reading_with_a_place_is_a_track_and_a_state(
    city: City, vehicle: int, run: Any
) -> None:
    services = ingest(city.runtime)
    start = datetime.now(UTC) - timedelta(seconds=30)
    async with run(services):
        for n in range(3):
            values = {
                "longitude": 5.04 + n * 1e-4, "latitude": 47.32, "speed": 8, "heading": 90,
                "fuelLevel": 60 - n,
            }  # fmt: skip
            await city.send(city.reading("d1", n, at=start + timedelta(seconds=n), values=values))
        await city.send(
            city.reading("d1", 9, values={"longitude": 5.05, "latitude": 147.0}, at=start)
        )
        await city.send(city.reading("d3", 1, values={"longitude": 5.0, "latitude": 47.0}))
        await city.drained()
    state = await city.state("d1")
    assert len(state.vals) == VEHICLE.width
    assert state.vals[:4] == [5.0402, 47.32, 8, 90]
    assert state.vals[VEHICLE.slots["fuelLevel"]] == 58
    fixes = await city.rows(
        "select lon, lat from twin.track where asset = :a order by lon", a=vehicle
    )
    assert [(row.lon, row.lat) for row in fixes] == [
        (50400000, 473200000), (50401000, 473200000), (50402000, 473200000),
    ]  # fmt: skip
    stored = await city.rows("select vals from twin.history where device = :a", a=vehicle)
    assert sorted(row.vals for row in stored) == [[58], [59], [60]]
    refused = await city.rows("select code, asset from gateways.quarantine order by id")
    assert [row.code for row in refused] == ["position_out_of_range", "unknown_metric"]


async def test_a_place_again_or_older_changes_nothing(city: City, vehicle: int, run: Any) -> None:
    before = await city.state("d1")
    start = datetime.now(UTC) - timedelta(minutes=5)
    async with run(ingest(city.runtime)):
        for n in (20, 20, 21):
            values = {"longitude": 5.01, "latitude": 47.3}
            await city.send(city.reading("d1", n, at=start, values=values))
        await city.drained()
    after = await city.state("d1")
    assert str(after.vals) == str(before.vals)
    count = await city.scalar("select count(*) from twin.track where asset = :a", a=vehicle)
    assert count == 4
