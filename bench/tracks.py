"""How fast positions are stored, what one takes on disk, and how long a track takes to read.

    .venv/bin/python bench/tracks.py [--vehicles 300] [--batches 60]

The verbs, on a real database of their own with the territory of Dijon; a day of positions ten
seconds apart is generated, read as it was written, packed, and read again.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from sqlalchemy import text  # noqa: E402

from vigie import places  # noqa: E402
from vigie.app import every_room  # noqa: E402
from vigie.core.database import Database  # noqa: E402
from vigie.core.engines import PostgresEngine, free_port  # noqa: E402
from vigie.core.engines.postgres import LOGIN, OWNER  # noqa: E402
from vigie.core.migrate import migrate  # noqa: E402
from vigie.twin import days, track  # noqa: E402
from vigie.twin.track import Position  # noqa: E402

ASSETS = """
insert into twin.asset (token, kind, trade, source, source_id, lon, lat, mercator, municipality)
select 'm' || n, 'Streetlight', 'lighting', 'bench', 'm' || n, 5, 47, point(0, 0), '21231'
from generate_series(1, 1000) n
"""
DAY = """
insert into twin.track
select (extract(epoch from :day)::int - 946684800) + tick * 10, asset, 50400000 + tick * 100,
 473200000, 0, 800, 900, 40
from generate_series(0, 8639) tick, unnest(cast(:assets as int[])) asset
order by tick, asset
"""
SIZE = """
select (pg_relation_size(c.oid) + pg_indexes_size(c.oid))::float8 / greatest(c.reltuples, 1)
from pg_class c where c.oid = to_regclass('twin.track_' || to_char(cast(:day as date), 'YYYYMMDD'))
"""


async def main() -> None:
    """Make the database, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=300)
    parser.add_argument("--batches", type=int, default=60)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    postgres = PostgresEngine(root, free_port())
    try:
        await postgres.start()
        await asyncio.to_thread(migrate, postgres.url(OWNER), LOGIN, every_room())
        database = Database(postgres.url(LOGIN), pool=6, application="bench")
        async with database.unit() as unit:
            await places.install(unit, places.load_pack("dijon"))
            await unit.execute(text(ASSETS))
            found = await unit.execute(text("select id from twin.asset order by id"))
            assets = list(found.scalars())
        await store(database, assets, options.batches)
        await read(database, postgres.url(OWNER), assets[: options.vehicles])
        await database.close()
    finally:
        await postgres.stop()
        shutil.rmtree(root, ignore_errors=True)


async def store(database: Database, assets: list[int], batches: int) -> None:
    """One position of each vehicle a batch."""
    start = int((datetime.now(UTC) - timedelta(hours=2)).timestamp() * 1e6)
    spent: list[float] = []
    for tick in range(batches):
        at = start + tick * 10_000_000
        batch = [
            Position(
                asset, at + random.randrange(1000) * 1000, at + 2_000_000,
                5 + n % 100 * 1e-3 + tick * 1e-4, 47.3 + n // 100 * 1e-3, 8.0, 90.0, 4.0,
            )
            for n, asset in enumerate(assets)
        ]  # fmt: skip
        began = time.perf_counter()
        async with database.unit() as unit:
            await track.store(unit, batch)
        spent.append(time.perf_counter() - began)
    rate = len(assets) / statistics.median(spent)
    print(f"stored: {rate:,.0f} positions/s, {len(assets)} a batch")


async def read(database: Database, owner: str, assets: list[int]) -> None:
    """A day of tracks, as it was written and packed."""
    day = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    async with database.unit(statement_timeout_s=0) as unit:
        await days.Days().open(unit, "track", [day.date()])
        await unit.execute(text(DAY), {"day": day, "assets": assets})
    for name in ("as written", "packed"):
        if name == "packed":
            began = time.perf_counter()
            await days.pack(database, day.date())
            print(f"packing the day: {time.perf_counter() - began:.1f} s")
        async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
            await connection.execute("vacuum analyze twin.track")
        async with database.unit() as unit:
            size = (await unit.execute(text(SIZE), {"day": day.date()})).scalar_one()
        print(f"{name}: {size:.1f} bytes a position")
        for hours in (1, 24):
            times = [await one(database, asset, day, hours) for asset in random.sample(assets, 20)]
            median, most = statistics.median(times), max(times)
            print(f"{name}: a track of {hours} h in {median:.0f} ms, {most:.0f} at most")


async def one(database: Database, asset: int, day: datetime, hours: int) -> float:
    """Read a track; milliseconds."""
    began = time.perf_counter()
    async with database.unit() as unit:
        end = day + timedelta(hours=hours, seconds=-1)
        await track.read_track(unit, asset, day, end, reason="bench", tolerance_m=5)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    asyncio.run(main())
