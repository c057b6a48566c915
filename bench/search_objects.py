"""How long the search takes over every object: 1,000,000 of them beside the equipment.

    .venv/bin/python bench/search_objects.py [--objects 1000000] [--assets 400000] [--repeat 60]

Ten types of objects with the words that a city's log, alarms and requests have: some common ones,
streets, names, numbers. The whole of GET /search without HTTP: places, equipment and objects, by
one who sees everything and by one of a small municipality who sees what is there.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "bench")]

from search import ASSETS, WORDS  # noqa: E402

from vigie import places  # noqa: E402
from vigie.app import every_room  # noqa: E402
from vigie.core import search  # noqa: E402
from vigie.core.database import Database, Unit  # noqa: E402
from vigie.core.engines import PostgresEngine, free_port  # noqa: E402
from vigie.core.engines.postgres import LOGIN, OWNER  # noqa: E402
from vigie.core.house import House  # noqa: E402
from vigie.core.migrate import migrate  # noqa: E402
from vigie.core.objects import ObjectType, Title  # noqa: E402
from vigie.core.permissions import Permission  # noqa: E402
from vigie.core.rooms import Room, Rooms  # noqa: E402
from vigie.core.scope import Grant, Principal, Scope  # noqa: E402
from vigie.core.search import Entry  # noqa: E402
from vigie.core.search.rules import kept_words  # noqa: E402
from vigie.core.text import fold  # noqa: E402

TYPES = [f"bench.type{n}" for n in range(10)]
COMMON = ("panne", "lampe", "signalement", "feu", "intervention", "rue", "carrefour", "alarme")
TRADES = ("lighting", "traffic", "buildings", "security")
EVERYWHERE = Principal(None, "all", "user", (Grant("viewer"),))
SMALL = Principal(None, "small", "user", (Grant("viewer", "21515"),))
QUESTIONS: dict[str, Callable[[int], str]] = {
    "a number": lambda n: f"2026-{n * 977 % 1_000_000:06}",
    "a rare word": lambda n: f"dossier{n * 37 % 50_000}",
    "a name and a street": lambda n: f"nom{n * 7 % 3000} foch{n % 400}",
    "a common word": lambda n: COMMON[n % len(COMMON)],
    "two common words": lambda n: f"{COMMON[n % 8]} {COMMON[(n + 3) % 8]}",
    "the start of a word": lambda n: ("pan", "foc", "nom1", "s", "inter")[n % 5],
    "common words, one of them rare": lambda n: f"panne rue nom{n * 11 % 3000}",
    "what is not there": lambda n: f"panne zzz{n}",
}


async def titles(unit: Unit, ids: Collection[str]) -> Mapping[str, Title]:
    """Nobody asks."""
    return {}


OBJECTS = tuple(ObjectType(name, "bench.read", titles, "/bench/{id}") for name in TYPES)
ROOM = Room(
    name="bench",
    floor="trade",
    permissions=(Permission("bench.read", "", ("viewer",)),),
    objects=f"{__name__}:OBJECTS",
)


async def main() -> None:
    """Generate, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--assets", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=60)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    postgres = PostgresEngine(root, free_port())
    try:
        await postgres.start()
        await asyncio.to_thread(migrate, postgres.url(OWNER), LOGIN, every_room())
        database = Database(postgres.url(LOGIN))
        database.house = House(Rooms([*every_room(), ROOM]))
        async with database.unit() as unit:
            await places.install(unit, places.load_pack("dijon"))
        async with await psycopg.AsyncConnection.connect(
            postgres.url(OWNER), autocommit=True
        ) as owner:
            began = time.perf_counter()
            await generate(owner, options.objects, options.assets)
            print(f"filled in {time.perf_counter() - began:.0f} s; {await size(owner)}", flush=True)
        await ask(database, options.repeat)
        await database.close()
    finally:
        await postgres.stop()
        shutil.rmtree(root, ignore_errors=True)


async def generate(owner: psycopg.AsyncConnection[Any], objects: int, assets: int) -> None:
    """A city's equipment and what happened in it."""
    await owner.execute(ASSETS, [assets])
    await owner.execute(WORDS)
    found = await owner.execute("select insee from places.municipality order by insee")
    codes = [row[0] for row in await found.fetchall()]
    columns = "(type, id, number, title, subtitle, folded, text, municipality, trade)"
    async with owner.cursor() as cursor:
        async with cursor.copy(f"copy core.found {columns} from stdin") as copy:
            for entry in entries(objects, codes):
                await copy.write_row(
                    (
                        entry.type, entry.id, fold(entry.number), entry.title, entry.subtitle,
                        fold(entry.title), f" {' '.join(kept_words(entry))} ",
                        entry.municipality, entry.trade,
                    )
                )  # fmt: skip
    # The words are those of `text`, so that their objects' numbers need not come back here.
    # In the order of one index and without the other: minutes instead of a quarter of an hour.
    found = await owner.execute(
        "select indexdef from pg_indexes where indexname = 'found_word_municipality'"
    )
    (again,) = await found.fetchone() or ("",)
    await owner.execute("drop index core.found_word_municipality")
    await owner.execute(
        "insert into core.found_word select type, word, object, municipality, trade, compartment"
        " from core.found, unnest(string_to_array(btrim(text), ' ')) as word order by 1, 2, 3"
    )
    await owner.execute(again)
    await owner.execute("vacuum analyze")


def entries(objects: int, codes: list[str]) -> Iterator[Entry]:
    """Objects in the order in which they happened."""
    chance = random.Random(7)
    for n in range(objects):
        common = chance.sample(COMMON, 3)
        yield Entry(
            type=TYPES[min(int(chance.expovariate(0.5)), 9)],
            id=f"{n:012x}",
            number=f"2026-{n:06}",
            title=f"{common[0]} {common[1]} {chance.randrange(200)} avenue foch{n % 400}",
            subtitle=common[2],
            words=(common[2], f"nom{chance.randrange(3000)}", f"dossier{n % 50_000}"),
            # Half of all in the city, the rest spread.
            municipality="21231" if n % 2 else chance.choice(codes),
            trade=chance.choice(TRADES),
        )


async def size(owner: psycopg.AsyncConnection[Any]) -> str:
    """What the tables take."""
    found = await owner.execute(
        "select pg_size_pretty(pg_total_relation_size('core.found')),"
        " pg_size_pretty(pg_total_relation_size('core.found_word')),"
        " (select count(*) from core.found_word)"
    )
    row = await found.fetchone()
    assert row is not None
    return f"found {row[0]}, words {row[1]} ({row[2]:,} rows)"


async def ask(database: Database, repeat: int) -> None:
    """Every question over and over, each time another one; the first is not counted."""
    print("| question | everywhere: p50, p99 (ms) | one small municipality: p50, p99 (ms) |")
    print("|---|---|---|")
    for name, question in QUESTIONS.items():
        cells: list[str] = []
        for who in (EVERYWHERE, SMALL):
            taken: list[float] = []
            for n in range(repeat + 1):
                began = time.perf_counter()
                async with database.unit(who, Scope()) as unit:
                    await search.find(unit, question(n), 12)
                taken.append((time.perf_counter() - began) * 1000)
            taken = sorted(taken[1:])
            p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
            cells.append(f"{statistics.median(taken):.0f}, {p99:.0f}")
        print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
