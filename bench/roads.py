"""How long ways take over the roads of a metropolis: 20,000 junctions, closures, addresses.

    .venv/bin/python bench/roads.py [--side 141] [--repeat 200] [--closures 200] [--addresses 90000]

Streets are generated: a grid of blocks of some 100 m, one street in four one-way, avenues faster.
First the pure graph, beside scipy's own search on the same arcs; then the verbs in a real database,
with what is closed read for each question, while streets are closed and opened.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "bench")]

from vigie import places  # noqa: E402
from vigie.app import every_room  # noqa: E402
from vigie.core.database import Database  # noqa: E402
from vigie.core.engines import PostgresEngine, free_port  # noqa: E402
from vigie.core.engines.postgres import LOGIN, OWNER  # noqa: E402
from vigie.core.house import House  # noqa: E402
from vigie.core.migrate import migrate  # noqa: E402
from vigie.core.scope import EVERYTHING, Grant, Principal  # noqa: E402
from vigie.places.addresses import service as addresses  # noqa: E402
from vigie.places.roads import routing, service  # noqa: E402
from vigie.places.roads.graph import Graph, Street  # noqa: E402
from vigie.places.roads.model import CloseRoad, DrawnLine, OpenRoad  # noqa: E402
from vigie.places.roads.reach import reachable  # noqa: E402
from vigie.places.roads.rules import Traits  # noqa: E402

WEST, SOUTH = 4.95, 47.26
STEP_X, STEP_Y = 0.00132, 0.0009
SOMEONE = Principal(None, "bench", "user", (Grant("operator"),))


def grid(side: int) -> list[tuple[str, str, list[list[float]], str, str]]:
    """Id, name, line, class and one-way of each street, a block long each."""
    draw = random.Random(7)
    jitter = {
        (x, y): (draw.uniform(-0.2, 0.2) * STEP_X, draw.uniform(-0.2, 0.2) * STEP_Y)
        for x in range(side)
        for y in range(side)
    }

    def at(x: int, y: int) -> list[float]:
        east, north = jitter[x, y]
        return [round(WEST + x * STEP_X + east, 6), round(SOUTH + y * STEP_Y + north, 6)]

    made: list[tuple[str, str, list[list[float]], str, str]] = []
    for x in range(side):
        for y in range(side):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx >= side or y + dy >= side:
                    continue
                row = y if dx else x
                kind = "secondary" if row % 10 == 0 else "residential"
                name = f"{'Rue' if dx else 'Avenue'} {row}"
                oneway = draw.choice(("yes", "-1")) if row % 4 == 1 else ""
                ends = [at(x, y), at(x + dx, y + dy)]
                made.append((f"{x}-{y}-{dx}", name, ends, kind, oneway))
    return made


def show(what: str, times: list[float]) -> None:
    """One line of the table: median, p99, worst."""
    ms = np.array(times) * 1000
    print(f"| {what} | {np.median(ms):.1f} | {np.percentile(ms, 99):.1f} | {ms.max():.1f} |")


def timed(work: Callable[[int], Any], repeat: int) -> list[float]:
    """Seconds of each run."""
    times: list[float] = []
    for n in range(repeat):
        started = time.perf_counter()
        work(n)
        times.append(time.perf_counter() - started)
    return times


def pure(streets: list[tuple[str, str, list[list[float]], str, str]], repeat: int) -> None:
    """The graph alone."""
    ways = {"yes": 1, "-1": -1, "": 0}
    rows = [
        Street(n, name, "21231", Traits(kind, ways[oneway]), shapely.linestrings(line))
        for n, (_, name, line, kind, oneway) in enumerate(streets)
    ]
    graph = Graph(rows)
    show("build the graph from its streets", timed(lambda n: Graph(rows), 5))
    base, main = graph.base["car"], graph.main["car"]
    allowed = routing.usable(base)
    draw = np.random.default_rng(3)
    spots = [
        (float(graph.node_lon[n]) + 2e-4, float(graph.node_lat[n]) + 1e-4)
        for n in draw.integers(0, graph.nodes, 1000)
    ]
    snaps = [routing.snap(graph, allowed, *spot, main) for spot in spots]
    pairs = [(snaps[n % 1000], snaps[(n * 7 + 1) % 1000]) for n in range(repeat)]
    matrix = csr_array(
        (base[graph.arcs], graph.heads, graph.indptr), shape=(graph.nodes, graph.nodes)
    )
    print(f"\n{graph.nodes:,} junctions, {int(np.isfinite(base).sum()):,} arcs\n")
    print("| pure | median (ms) | p99 | worst |\n|---|---:|---:|---:|")
    show("scipy alone: one to all", timed(
        lambda n: dijkstra(matrix, indices=n * 97 % graph.nodes, return_predecessors=True), repeat
    ))  # fmt: skip
    show("one to all", timed(lambda n: routing.Search(graph, base, pairs[n][0]), repeat))
    show("find the street of a place", timed(
        lambda n: routing.snap(graph, allowed, *spots[n % 1000], main), repeat))  # fmt: skip
    show("a way, with its line", timed(lambda n: _way(graph, base, *pairs[n]), repeat))
    show("close 200 arcs: re-weight", timed(
        lambda n: routing.closed(base, np.arange(n, n + 200)), repeat))  # fmt: skip
    for count in (100, 500):
        show(f"times of {count} candidates to a place", timed(
            lambda n, c=count: routing.nearest(graph, base, snaps[n % 1000], snaps[:c]), repeat
        ))  # fmt: skip
    show("areas of 5, 10 and 20 minutes", timed(
        lambda n: reachable(graph, base, pairs[n][0], [300, 600, 1200]), max(repeat // 10, 3)
    ))  # fmt: skip


def _way(graph: Graph, base: Any, start: Any, end: Any) -> None:
    path = routing.shortest(graph, base, start, end)
    if path is not None:
        routing.coordinates(graph, path)


async def whole(
    streets: list[tuple[str, str, list[list[float]], str, str]], args: argparse.Namespace
) -> None:
    """The verbs in a database."""
    root = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    engine = PostgresEngine(root, free_port())
    await engine.start()
    try:
        url = engine.url(OWNER)
        await asyncio.to_thread(migrate, url, LOGIN, every_room())
        database = Database(engine.url(LOGIN), pool=4)
        database.house = House(every_room())
        await _measure(database, root, streets, args)
        await database.close()
    finally:
        await engine.stop()
        shutil.rmtree(root, ignore_errors=True)


async def _measure(
    database: Database,
    root: Path,
    streets: list[tuple[str, str, list[list[float]], str, str]],
    args: argparse.Namespace,
) -> None:
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    file = root / "streets.geojson"
    features = [
        {"type": "Feature",
         "properties": {"id": i, "name": n, "highway": k, "oneway": o},
         "geometry": {"type": "LineString", "coordinates": line}}
        for i, n, line, k, o in streets
    ]  # fmt: skip
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    report = await places.import_streets(database, file)
    draw = random.Random(5)
    side = args.side

    def spot() -> tuple[float, float]:
        return (WEST + draw.random() * (side - 1) * STEP_X,
                SOUTH + draw.random() * (side - 1) * STEP_Y)  # fmt: skip

    async def each(
        what: str, work: Callable[[Any, int], Awaitable[Any]], repeat: int = args.repeat
    ) -> None:
        times: list[float] = []
        for n in range(repeat):
            async with database.unit(SOMEONE, EVERYTHING) as unit:
                started = time.perf_counter()
                await work(unit, n)
                times.append(time.perf_counter() - started)
        show(what, times)

    started = time.perf_counter()
    async with database.unit(SOMEONE, EVERYTHING) as unit:
        await places.route(unit, spot(), spot())
    first = time.perf_counter() - started
    print(f"\n{report.read:,} streets imported in {report.seconds:.1f} s; the first question after "
          f"it, which builds the graph: {first:.2f} s\n")  # fmt: skip
    print("| in the database | median (ms) | p99 | worst |\n|---|---:|---:|---:|")
    closures: list[Any] = []

    async def close(unit: Any, n: int) -> None:
        _, _, line, _, _ = streets[draw.randrange(len(streets))]
        drawn = DrawnLine(coordinates=[(x, y) for x, y in line])
        closures.append(await service.close_road(unit, CloseRoad(reason="bench", drawn=drawn)))

    await each("a way, nothing closed", lambda u, n: places.route(u, spot(), spot()))
    await each(f"close a road ({args.closures} times)", close, args.closures)
    await each(
        f"a way, {args.closures} closures read and avoided",
        lambda u, n: places.route(u, spot(), spot()),
    )
    hundred = [spot() for _ in range(100)]
    await each("nearest 10 of 100", lambda u, n: places.nearest(u, spot(), hundred, count=10))
    await each(
        "areas of 5, 10 and 20 minutes",
        lambda u, n: places.reachable(u, spot(), [5, 10, 20]), max(args.repeat // 10, 3),
    )  # fmt: skip

    async def reopen(unit: Any, n: int) -> None:
        await service.open_road(unit, OpenRoad(closure=closures[n].id))

    await each("open a road", reopen, args.closures)
    await _addresses(database, root, args, each, spot)


async def _addresses(
    database: Database, root: Path, args: argparse.Namespace, each: Any, spot: Any
) -> None:
    file = root / "ban.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("id;numero;rep;nom_voie;code_postal;code_insee;lon;lat\n")
        for n in range(args.addresses):
            x, y = spot()
            street = f"Rue du Quartier {n // 40}"
            rep = "bis" if n % 17 == 0 else ""
            out.write(f"a{n};{1 + n % 40};{rep};{street};21000;21231;{x:.6f};{y:.6f}\n")
    report = await places.import_addresses(database, file)
    again = await places.import_addresses(database, file)
    print(f"| {report.created:,} addresses imported in {report.seconds:.1f} s, "
          f"again without change in {again.seconds:.1f} s | | | |")  # fmt: skip
    streets = args.addresses // 40
    async with database.unit(SOMEONE, EVERYTHING) as unit:
        await addresses.geocode(unit, "1 rue du quartier 1")
    await each(
        "an address by what is typed",
        lambda u, n: addresses.geocode(u, f"{1 + n % 40} r. du quartier {n * 7 % streets} dijon"),
    )
    await each("the address at a place", lambda u, n: addresses.reverse(u, spot()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=141)
    parser.add_argument("--repeat", type=int, default=200)
    parser.add_argument("--closures", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=90_000)
    args = parser.parse_args()
    streets = grid(args.side)
    print("| | median (ms) | p99 | worst |\n|---|---:|---:|---:|")
    pure(streets, args.repeat)
    asyncio.run(whole(streets, args))


if __name__ == "__main__":
    main()
