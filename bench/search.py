"""How long lists, details and searches take at a city's full size: the verbs, on a real database.

    .venv/bin/python bench/search.py [--assets 400000] [--repeat 40]

Equipment is generated; 1% has a fault, 1% is silent, 1% was never heard. Everyone reports again
while the questions are asked, at --updates messages a second (0: nobody).
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from vigie import places, twin  # noqa: E402
from vigie.app import every_room  # noqa: E402
from vigie.core.database import Database, Unit  # noqa: E402
from vigie.core.engines import PostgresEngine, free_port  # noqa: E402
from vigie.core.engines.postgres import LOGIN, OWNER  # noqa: E402
from vigie.core.errors import NotFound  # noqa: E402
from vigie.core.migrate import migrate  # noqa: E402
from vigie.core.scope import EVERYTHING, Principal, Scope  # noqa: E402

DIJON = Scope(pairs=frozenset({"21231/lighting"}))
SOMEONE = Principal(None, "bench", "user")
ASSETS = """
insert into twin.asset (token, kind, trade, source, source_id, name, folded, municipality, street,
 lon, lat, mercator)
select md5(n::text), case when n %% 40 = 0 then 'StreetlightControlCabinet' else 'Streetlight' end,
 'lighting', 'bench', 'SL-' || n, 'Candelabre ' || n, 'candelabre ' || n || ' sl ' || n,
 m.codes[1 + (n / 500) %% array_length(m.codes, 1)], 'Rue ' || (n / 60), 5 + (n %% 1000) * 1e-4,
 47.3 + (n / 1000) * 1e-4, point(556597 + (n %% 1000) * 11, 5992000 + (n / 1000) * 16)
from generate_series(1, %s) n, (select array_agg(insee order by insee) codes
 from places.municipality) m
"""
WORDS = """
insert into twin.word (word, asset, municipality, trade)
select distinct w.word, a.id, a.municipality, a.trade from twin.asset a,
 lateral unnest(string_to_array(a.folded, ' ')) w(word)
"""
STATE = """
insert into twin.state (asset, n, at, recorded, boot, vals{fault})
select id, 1, now() - case when id %% 100 = 2 then interval '1 hour'
  else random() * interval '60 s' end, now(), 1,
 case when id %% 100 = 1 then
  case kind when 'Streetlight' then array[40, 30, 1, 1, 230, 20, 1, 0]::float8[]
  else array[30, 1, 230, 1, 0, 'nan'::float8, 'nan', 'nan'] end
 else array[40, 30, 1, 1, 230, 0, 0, 0]::float8[] end{faulty}
from twin.asset where id %% 100 <> 3
"""
REPORT = "update twin.state set at = now(), n = n + 1 where asset = any(%s) and asset %% 100 <> 2"


async def main() -> None:
    """Generate, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--updates", type=int, default=2000)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    postgres = PostgresEngine(root, free_port())
    try:
        await postgres.start()
        await asyncio.to_thread(migrate, postgres.url(OWNER), LOGIN, every_room())
        database = Database(postgres.url(LOGIN))
        async with database.unit() as unit:
            await places.install(unit, places.load_pack("dijon"))
        async with await psycopg.AsyncConnection.connect(
            postgres.url(OWNER), autocommit=True
        ) as owner:
            await generate(owner, options.assets)
            reports = asyncio.create_task(report(owner, options.assets, options.updates))
            await ask(database, options)
            reports.cancel()
        await database.close()
    finally:
        await postgres.stop()
        shutil.rmtree(root, ignore_errors=True)


async def generate(owner: psycopg.AsyncConnection[Any], assets: int) -> None:
    """A city, with its state."""
    found = await owner.execute(
        "select count(*) from information_schema.columns"
        " where table_name = 'state' and column_name = 'fault'"
    )
    stored = (await found.fetchone() or (0,))[0] > 0
    await owner.execute(ASSETS, [assets])
    await owner.execute(WORDS)
    fault = (", fault", ", id %% 100 = 1") if stored else ("", "")
    await owner.execute(STATE.format(fault=fault[0], faulty=fault[1]), [])
    await owner.execute("vacuum analyze")


async def report(owner: psycopg.AsyncConnection[Any], assets: int, rate: int) -> None:
    """Devices go on reporting, a tenth of a second's at once."""
    at = 0
    while rate:
        some = [1 + (at + k) % assets for k in range(rate // 10)]
        at += len(some)
        await owner.execute(REPORT, [some])
        await asyncio.sleep(0.1)


async def ask(database: Database, options: argparse.Namespace) -> None:
    """Every question, over and over; the first time of each is not counted."""

    def listing(filter_: str) -> Callable[[Unit, int], Awaitable[Any]]:
        return lambda unit, n: twin.list_assets(unit, filter_)

    middle = options.assets // 2
    questions: dict[str, Callable[[Unit, int], Awaitable[Any]]] = {
        "detail": lambda unit, n: twin.read(unit, middle + n),
        "search: a name": lambda unit, n: twin.search(unit, f"candelabre {middle + n}"),
        "list: everything": listing(""),
        "list: a municipality": listing("municipality:21231"),
        "list: a street": listing('street:"Rue 1000"'),
        "list: status:fault": listing("status:fault"),
        "list: status:silent": listing("status:silent"),
        "list: status:fault kind:StreetlightControlCabinet": listing(
            "status:fault kind:StreetlightControlCabinet"
        ),
        "list: -status:silent": listing("-status:silent"),
    }
    print("| question | everywhere: p50, p99 (ms) | one municipality: p50, p99 (ms) |")
    print("|---|---|---|")
    for name, question in questions.items():
        cells: list[str] = []
        for scope in (EVERYTHING, DIJON):
            taken: list[float] = []
            for n in range(options.repeat + 1):
                began = time.perf_counter()
                try:
                    async with database.unit(SOMEONE, scope) as unit:
                        await question(unit, n)
                except NotFound:
                    pass
                taken.append((time.perf_counter() - began) * 1000)
            taken = sorted(taken[1:])
            cells.append(f"{statistics.median(taken):.0f}, {taken[int(len(taken) * 0.99) - 1]:.0f}")
        print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
