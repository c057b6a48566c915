"""Travel times for other rooms and the API: in the caller's unit, with what is closed now."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import shapely

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.errors import Fault, TooMany, wrong_fields
from vigie.core.geometry import Floats
from vigie.places.model import Point
from vigie.places.roads import reasons
from vigie.places.roads.graph import Graph
from vigie.places.roads.keeping import Roads, active, roads
from vigie.places.roads.matching import ActiveClosure
from vigie.places.roads.model import (
    NearestRoads,
    RoadNetwork,
    RoadRoute,
    RouteReason,
    RouteStreet,
    TravelTime,
)
from vigie.places.roads.reach import reachable as area_reached
from vigie.places.roads.routing import (
    Path,
    Search,
    Snap,
    coordinates,
    shortest,
    snap,
    streets,
    usable,
)
from vigie.places.roads.rules import PROFILES, Profile

MOST_CANDIDATES = 500
MOST_MINUTES = 60
MOST_RINGS = 4
# Questions that a process works on at once; more wait, and beyond that are refused.
_AT_ONCE = 2
_WAITING = 40


class _Gate:
    """Lets a few searches run in threads at a time, so that they never take the whole process."""

    def __init__(self) -> None:
        self.running = asyncio.Semaphore(_AT_ONCE)
        self.waiting = 0

    async def run(self, work: Any, *arguments: Any) -> Any:
        """Run in a thread. Raises TooMany when too many wait already."""
        if self.waiting >= _WAITING:
            raise TooMany(
                "roads_busy",
                "Too many ways are being looked for: try again in a moment.",
                retry_after_s=1.0,
            )
        self.waiting += 1
        try:
            async with self.running:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self.waiting -= 1


class Ground(msgspec.Struct, frozen=True):
    """What a search stands on: the graph, what is closed, and the seconds of each arc."""

    graph: Graph
    profile: Profile
    at: datetime
    base: Floats
    weights: Floats
    closures: tuple[ActiveClosure, ...]


_GATES: WeakKeyDictionary[asyncio.AbstractEventLoop, _Gate] = WeakKeyDictionary()


def _gate() -> _Gate:
    """Of the running loop: a semaphore belongs to one."""
    return _GATES.setdefault(asyncio.get_running_loop(), _Gate())


async def ground(unit: Unit, profile: Profile = "car", at: datetime | None = None) -> Ground:
    """The graph as it is at an instant, now without one. Raises Invalid for no such instant."""
    instant = at or clock.now()
    if (fault := clock.fault_of(instant)) is not None:
        raise wrong_fields(Fault("at", fault, clock.FAULTS[fault]))
    held: Roads = await roads(unit)
    closures = await active(unit, held, instant)
    concerned = tuple(c for c in closures if profile in c.closed_to)
    return Ground(
        held.graph, profile, instant, held.graph.base[profile],
        held.weights(profile, concerned), concerned,
    )  # fmt: skip


async def route(
    unit: Unit, start: Point, end: Point, profile: Profile = "car", at: datetime | None = None
) -> RoadRoute:
    """The fastest way, and why it is as it is."""
    return await _gate().run(_route, await ground(unit, profile, at), start, end)


async def nearest(
    unit: Unit,
    point: Point,
    candidates: Sequence[Point],
    profile: Profile = "emergency",
    at: datetime | None = None,
    *,
    away: bool = False,
    count: int | None = None,
) -> NearestRoads:
    """Candidates by their travel time to a point (`away`: from it), the nearest first: one search,
    whatever their number. Raises Invalid for more than 500."""
    if len(candidates) > MOST_CANDIDATES:
        raise wrong_fields(
            Fault("candidates", "too_many", f"at most {MOST_CANDIDATES} candidates at once")
        )
    on = await ground(unit, profile, at)
    items = await _gate().run(_nearest, on, point, list(candidates), away, count)
    return NearestRoads(profile, on.at, items)


async def reachable(
    unit: Unit,
    point: Point,
    minutes: Sequence[float],
    profile: Profile = "car",
    at: datetime | None = None,
    *,
    towards: bool = False,
) -> dict[str, Any]:
    """Where one comes from a point within some minutes, or from where to it (`towards`): GeoJSON,
    the largest area first. Raises Invalid for more than an hour or four areas."""
    if not 1 <= len(minutes) <= MOST_RINGS or not all(0 < m <= MOST_MINUTES for m in minutes):
        raise wrong_fields(
            Fault(
                "minutes", "out_of_range",
                f"one to {MOST_RINGS} numbers of at most {MOST_MINUTES} minutes",
            )
        )  # fmt: skip
    on = await ground(unit, profile, at)
    wanted = sorted(set(minutes), reverse=True)
    return await _gate().run(_reachable, on, point, wanted, towards)


async def network(unit: Unit) -> RoadNetwork:
    """How large the graph is, and how many closures lie on it now."""
    held = await roads(unit)
    graph = held.graph
    closures = await active(unit, held, clock.now())
    lengths = {p: graph.metres[usable(graph.base[p])].sum() / 1000 for p in PROFILES}
    connected = {p: graph.metres[graph.main[p]].sum() / 1000 for p in PROFILES}
    return RoadNetwork(
        graph.nodes,
        graph.edges,
        round(float(graph.metres.sum()) / 1000, 1),
        {p: round(float(v), 1) for p, v in lengths.items()},
        {p: round(float(v), 1) for p, v in connected.items()},
        len(closures),
    )


def _snap(on: Ground, weights: Floats, point: Point) -> Snap | None:
    return snap(on.graph, usable(weights), *point, on.graph.main[on.profile])


def _route(on: Ground, start: Point, end: Point) -> RoadRoute:
    graph = on.graph
    a, b = _snap(on, on.weights, start), _snap(on, on.weights, end)
    # As it would be if nothing were closed: what the closures changed is said.
    free_a, free_b = _snap(on, on.base, start), _snap(on, on.base, end)
    path = shortest(graph, on.weights, a, b) if a is not None and b is not None else None
    free: Path | None = None
    if on.closures and free_a is not None and free_b is not None:
        free = shortest(graph, on.base, free_a, free_b)
    said = reasons.explain(
        on.closures, reasons.Ends(a, b), reasons.Ends(free_a, free_b), path, free
    )
    return _answer(on, path, a, b, said)


def _answer(
    on: Ground, path: Path | None, a: Snap | None, b: Snap | None, said: list[RouteReason]
) -> RoadRoute:
    line = coordinates(on.graph, path) if path is not None else np.zeros((0, 2))
    return RoadRoute(
        found=path is not None,
        profile=on.profile,
        at=on.at,
        seconds=round(path.seconds, 1) if path else None,
        metres=round(path.metres, 1) if path else None,
        geometry=[(x, y) for x, y in np.round(line, 6).tolist()],
        start=_point(a),
        end=_point(b),
        streets=[
            RouteStreet(name, round(metres, 1), round(seconds, 1))
            for name, metres, seconds in (
                streets(on.graph, path, on.weights) if path is not None else ()
            )
        ],
        reasons=said,
    )


def _point(place: Snap | None) -> Point | None:
    return None if place is None else (round(place.lon, 6), round(place.lat, 6))


def _nearest(
    on: Ground, point: Point, candidates: list[Point], away: bool, count: int | None
) -> list[TravelTime]:
    allowed, main = usable(on.weights), on.graph.main[on.profile]
    place = snap(on.graph, allowed, *point, main)
    snaps = [snap(on.graph, allowed, *c, main) for c in candidates]
    if place is None:
        times = [float("inf")] * len(snaps)
        search = None
    else:
        search = Search(on.graph, on.weights, place, backward=not away)
        times = [float("inf") if s is None else search.to(s) for s in snaps]
    order = sorted(range(len(snaps)), key=lambda n: (times[n], n))[:count]
    items: list[TravelTime] = []
    for n in order:
        where = snaps[n]
        path = search.path(where) if search is not None and where is not None else None
        items.append(
            TravelTime(n, round(path.seconds, 1), round(path.metres, 1))
            if path is not None
            else TravelTime(n, None, None)
        )
    return items


def _reachable(on: Ground, point: Point, minutes: list[float], towards: bool) -> dict[str, Any]:
    start = _snap(on, on.weights, point)
    features: list[dict[str, Any]] = []
    if start is not None:
        limits = [m * 60 for m in minutes]
        areas = area_reached(on.graph, on.weights, start, limits, backward=towards)
        for limit, area in zip(minutes, areas, strict=True):
            features.append(
                {
                    "type": "Feature",
                    "properties": {"minutes": limit, "profile": on.profile, "towards": towards},
                    "geometry": shapely.geometry.mapping(area),
                }
            )
    return {"type": "FeatureCollection", "features": features}
