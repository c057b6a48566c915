"""The road graph of this process: built from the streets when first asked for, and again when they
are imported. Closures lie over it as weights."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import shapely
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.geometry import Floats
from vigie.core.scope import EVERYTHING
from vigie.core.verbs import within
from vigie.places import service
from vigie.places.roads.graph import Graph, Ints, Street
from vigie.places.roads.matching import ActiveClosure, ClosedArcs, Part, of_parts
from vigie.places.roads.routing import closed
from vigie.places.roads.rules import Direction, Profile, Traits

_STREETS = text(
    "select id, name, insee, kind, oneway, speed_limit, layer, geometry from places.street"
    " order by id"
)
_ACTIVE = text(
    """
    select id, version, streets, closed_to, municipalities, trade from places.closure
    where starts <= :at and ended is null and (ends is null or ends > :at)
    order by id
    """
)
_PARTS = text("select id, direction, parts from places.closure where id = any(:ids)")


# Closures whose arcs are remembered, and sets of closures whose weights are.
_KEPT = 5_000
_WEIGHTS = 16
_NO_ARCS: Ints = np.zeros(0, dtype=np.int64)
_NONE = ClosedArcs(_NO_ARCS, frozenset())


class Roads:
    """A graph, the arcs of the closures that were looked up in it, and the weights last used."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.arcs: dict[tuple[UUID, int], ClosedArcs] = {}
        self._weights: dict[tuple[Profile, frozenset[tuple[UUID, int]]], Floats] = {}

    def keep(self, found: Mapping[tuple[UUID, int], ClosedArcs]) -> None:
        """Remember the arcs of closures; the oldest are forgotten."""
        self.arcs.update(found)
        for key in list(self.arcs)[:-_KEPT]:
            self.arcs.pop(key, None)

    def weights(self, profile: Profile, closures: Sequence[ActiveClosure]) -> Floats:
        """Seconds of each arc while these closures last."""
        key = (profile, frozenset((c.id, c.version) for c in closures))
        found = self._weights.get(key)
        if found is None:
            arcs = [c.arcs.order for c in closures]
            found = closed(self.graph.base[profile], np.concatenate([_NO_ARCS, *arcs]))
            while len(self._weights) >= _WEIGHTS:
                self._weights.pop(next(iter(self._weights)))
            self._weights[key] = found
        return found


async def roads(unit: Unit) -> Roads:
    """The graph of the streets as they are. Raises TooLarge for more than it takes."""

    async def build() -> Roads:
        rows = (await unit.execute(_STREETS)).all()
        return Roads(await asyncio.to_thread(_graph, rows))

    return await service.kept(unit, "roads", build)


async def active(unit: Unit, held: Roads, at: datetime) -> list[ActiveClosure]:
    """What is closed at an instant, wherever: a way must not lead over what its reader may not
    read about. Which closure it is, is shown within the reader's own scope only."""
    scope = unit.scope
    async with within(unit, EVERYTHING):
        rows = (await unit.execute(_ACTIVE, {"at": at})).all()
        arcs = {r.id: held.arcs.get((r.id, r.version)) for r in rows}
        missing = [id_ for id_, found in arcs.items() if found is None]
        parts = (await unit.execute(_PARTS, {"ids": missing})).all() if missing else []
    if parts:
        found = await asyncio.to_thread(_look_up, held.graph, parts)
        arcs.update(found)
        held.keep({(r.id, r.version): found[r.id] for r in rows if r.id in found})
    return [
        ActiveClosure(
            r.id,
            r.version,
            tuple(r.streets),
            tuple(r.closed_to),
            arcs[r.id] or _NONE,
            any(scope.allows(m, r.trade) for m in r.municipalities),
        )
        for r in rows
    ]


def read_parts(stored: Any) -> list[Part]:
    """The lines of a closure as they are stored."""
    return msgspec.convert(stored, list[Part])


def _look_up(graph: Graph, rows: Sequence[Any]) -> dict[UUID, ClosedArcs]:
    found: dict[UUID, ClosedArcs] = {}
    for row in rows:
        direction: Direction = row.direction
        order = of_parts(graph, read_parts(row.parts)).arcs(direction)
        found[row.id] = ClosedArcs(order, frozenset(order.tolist()))
    return found


def _graph(rows: Sequence[Any]) -> Graph:
    lines = shapely.from_geojson([r.geometry for r in rows]) if rows else []
    graph = Graph(
        [
            Street(r.id, r.name, r.insee, Traits(r.kind, r.oneway, r.speed_limit, r.layer), line)
            for r, line in zip(rows, lines, strict=True)
        ]
    )
    # What every question needs is made while nobody waits in the event loop.
    _ = graph.base, graph.main, graph.tree, graph.streets_by_id
    return graph
