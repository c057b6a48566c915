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
from vigie.places.roads.matching import NOTHING, Closed, Part, of_parts
from vigie.places.roads.routing import closed
from vigie.places.roads.rules import Direction, Profile, Traits

_STREETS = text(
    "select id, name, insee, kind, oneway, speed_limit, layer, geometry from places.street"
    " order by id"
)
_ACTIVE = text(
    """
    select id, version, streets, direction, closed_to, municipalities, trade from places.closure
    where starts <= :at and ended is null and (ends is null or ends > :at)
    order by id
    """
)
_PARTS = text("select id, parts from places.closure where id = any(:ids)")


# Closures whose edges are remembered.
_KEPT = 5_000


class ActiveClosure(msgspec.Struct, frozen=True):
    """A closure at an instant. `shown`: the reader may know which one it is."""

    id: UUID
    streets: tuple[str, ...]
    direction: Direction
    closed_to: tuple[Profile, ...]
    edges: Closed
    shown: bool

    def arcs(self) -> Ints:
        """The arcs that it closes."""
        return self.edges.arcs(self.direction)


class Roads:
    """A graph, and the edges of the closures that were looked up in it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.edges: dict[tuple[UUID, int], Closed] = {}

    def keep(self, found: Mapping[tuple[UUID, int], Closed]) -> None:
        """Remember the edges of closures; the oldest are forgotten."""
        self.edges.update(found)
        for key in list(self.edges)[:-_KEPT]:
            self.edges.pop(key, None)

    def weights(self, profile: Profile, closures: Sequence[ActiveClosure]) -> Floats:
        """Seconds of each arc while these closures last."""
        arcs = [c.arcs() for c in closures if profile in c.closed_to]
        return closed(
            self.graph.base[profile],
            np.concatenate(arcs) if arcs else np.zeros(0, dtype=np.int64),
        )


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
        edges = {r.id: held.edges.get((r.id, r.version)) for r in rows}
        missing = [id_ for id_, found in edges.items() if found is None]
        parts = (await unit.execute(_PARTS, {"ids": missing})).all() if missing else []
    if parts:
        found = await asyncio.to_thread(_look_up, held.graph, parts)
        edges.update(found)
        held.keep({(r.id, r.version): found[r.id] for r in rows if r.id in found})
    return [
        ActiveClosure(
            r.id,
            tuple(r.streets),
            r.direction,
            tuple(r.closed_to),
            edges[r.id] or NOTHING,
            any(scope.allows(m, r.trade) for m in r.municipalities),
        )
        for r in rows
    ]


def read_parts(stored: Any) -> list[Part]:
    """The lines of a closure as they are stored."""
    return msgspec.convert(stored, list[Part])


def _look_up(graph: Graph, rows: Sequence[Any]) -> dict[UUID, Closed]:
    return {row.id: of_parts(graph, read_parts(row.parts)) for row in rows}


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
