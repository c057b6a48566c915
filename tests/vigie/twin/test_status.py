"""Who has a fault, who is silent: as ingest writes it, in the scope of who asks."""

from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from vigie import twin
from vigie.core.database import Database
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, Principal, Scope
from vigie.twin import kinds
from vigie.twin.telemetry import Arrival, Store

USER = Principal(None, "someone", "user")
DIJON = Scope(municipalities=frozenset({"21231"}))
LIGHT, CABINET, SIGNAL = "Streetlight", "StreetlightControlCabinet", "TrafficLightController"
EQUIPMENT = {
    "fine": (LIGHT, "21231"),
    "failed": (LIGHT, "21231"),
    "failed elsewhere": (LIGHT, "21166"),
    "mended": (LIGHT, "21231"),
    "opened": (CABINET, "21231"),
    "late": (LIGHT, "21231"),
    "quiet": (LIGHT, "21231"),
    "quiet elsewhere": (LIGHT, "21166"),
    "never": (LIGHT, "21231"),
    "signal": (SIGNAL, "21231"),
    "retired": (LIGHT, "21231"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(city: Runtime) -> Database:
    """A district whose devices have said various things."""
    database, store, now = city.database, Store(city.database), datetime.now(UTC)
    ids: dict[str, int] = {}
    numbers = count(1)
    async with database.unit() as unit:
        for name, (kind, municipality) in EQUIPMENT.items():
            row = await unit.execute(
                text(
                    "insert into twin.asset (token, kind, trade, source, source_id, name,"
                    " municipality, retired, lon, lat, mercator) values (:n, :k, 'lighting', 'x',"
                    " :n, :n, :m, case when :n = 'retired' then current_date end, 5, 47,"
                    " point(0, 0)) returning id"
                ),
                {"n": name, "k": kind, "m": municipality},
            )
            ids[name] = row.scalar_one()

    async def say(name: str, ago_s: float = 1, **values: float) -> None:
        kind, names = kinds.kinds()[EQUIPMENT[name][0]], tuple(values)
        await store.prepare((), [(kind, names)])
        found = store.sets.get(kind, names)
        assert found is not None
        at = int((now - timedelta(seconds=ago_s)).timestamp() * 1e6)
        arrival = Arrival(ids[name], 1, next(numbers), at, at, found, tuple(values.values()))
        await store.prepare([arrival])
        async with database.unit() as unit:
            await store.store(unit, [arrival])

    await say("fine", dimmingLevel=40, activePower=1, supplyLoss=0)
    await say("failed", lampFailure=1)
    await say("failed elsewhere", supplyLoss=1)
    await say("mended", 9, lampFailure=1)
    await say("mended", lampFailure=0)
    await say("opened", activePower=1, doorOpen=1)
    await say("late", 120, dimmingLevel=1)
    await say("quiet", 185, lampFailure=0)
    await say("quiet elsewhere", 5000, lampFailure=0)
    return database


@pytest.mark.parametrize(
    ("filter_", "scope", "found"),
    [
        ("status:fault", EVERYTHING, {"failed", "failed elsewhere", "opened"}),
        ("status:fault", DIJON, {"failed", "opened"}),
        ("status:fault kind:Streetlight", DIJON, {"failed"}),
        ("-status:fault kind:StreetlightControlCabinet", EVERYTHING, set()),
        ("status:silent", EVERYTHING, {"quiet", "quiet elsewhere", "never", "signal"}),
        ("status:silent", DIJON, {"quiet", "never", "signal"}),
        ("status:silent,fault", DIJON, {"quiet", "never", "signal", "failed", "opened"}),
        ("-status:silent,fault,retired", DIJON, {"fine", "mended", "late"}),
        ("status:silent", Scope(), set()),
    ],
)
async def test_a_status_finds(
    database: Database, filter_: str, scope: Scope, found: set[str]
) -> None:
    async with database.unit(USER, scope) as unit:
        page = await twin.list_assets(unit, filter_)
    assert {asset.name for asset in page.items} == found
    assert page.total == len(found)


async def test_the_never_heard_are_those_without_state(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    await owner.execute("delete from twin.asset where name = 'never'")
    rows = await owner.execute(
        "select (select array_agg(asset order by asset) from twin.unheard),"
        " (select array_agg(id order by id) from twin.asset where id not in"
        " (select asset from twin.state))"
    )
    kept, true = await rows.fetchone() or (None, ())
    assert kept == true


async def test_a_message_that_changes_no_status_writes_no_index(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    rows = await owner.execute(
        "update twin.state set at = at + interval '1 microsecond', n = n + 1, vals = vals"
        " where asset = (select id from twin.asset where name = 'fine') returning"
        " (select count(*) from pg_indexes where schemaname = 'twin' and tablename = 'state'"
        "  and indexdef ~ '\\mat\\M')"
    )
    assert await rows.fetchone() == (0,), "an index on the time would cost one entry a message"


@pytest.mark.parametrize(
    ("ahead", "found"),
    # Hours from UTC; the furthest zones are always a day apart.
    [(14, {"today there"}), (-12, set())],
)
async def test_a_day_of_retirement_begins_in_the_city(
    database: Database, ahead: int, found: set[str]
) -> None:
    names = {14: "Pacific/Kiritimati", -12: "Etc/GMT+12"}

    async def zone(_unit: object) -> ZoneInfo:
        return ZoneInfo(names[ahead])

    async with database.unit() as unit:
        await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, name, municipality,"
                " retired, lon, lat, mercator) values ('there', 'Streetlight', 'lighting', 'x',"
                " 'there', 'today there', '21231',"
                " (now() at time zone 'Pacific/Kiritimati')::date, 5, 47, point(556597, 5942074))"
                " on conflict do nothing"
            )
        )
    database.zone_of = zone
    try:
        async with database.unit() as unit:
            page = await twin.list_assets(unit, "status:retired source_id:there")
    finally:
        database.zone_of = None
    assert {asset.name for asset in page.items} == found
