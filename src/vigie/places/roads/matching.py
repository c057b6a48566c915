"""Which edges a closure closes: pure.

A closure keeps the lines that it closed, each with its street, and no numbers of edges: when the
streets are imported again, the edges on those lines are closed.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import shapely

from vigie.core.geometry import Floats
from vigie.places.roads.graph import Graph, Ints
from vigie.places.roads.rules import Direction, Profile

# A street whose number is the same has been moved by so much at most.
_SAME_M = (0.3, 5.0, 15.0)
# How far a line that was drawn may be from the street that is meant.
_BESIDE_M = 12.0
_MOST_OF_IT = 0.6
# So much of a street lies within an area that closes it.
_WITHIN_M = 2.0
_SAMPLES = np.array([0.25, 0.5, 0.75])


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A piece of street that is closed: the street's number, and the line, [lon, lat] each."""

    street: int
    line: tuple[tuple[float, float], ...]


class Closed(msgspec.Struct, frozen=True):
    """Edges that are closed, and which way each one's line runs: 1 as its edge, -1 against it."""

    edges: Ints
    along: Ints

    def arcs(self, direction: Direction) -> Ints:
        """The arcs that are closed in a direction of the lines."""
        ahead = 2 * self.edges + np.where(self.along > 0, 0, 1)
        if direction == "forward":
            return ahead
        return ahead ^ 1 if direction == "backward" else np.concatenate([ahead, ahead ^ 1])


class ClosedArcs(msgspec.Struct, frozen=True):
    """The arcs that a closure closes, in order and as a set."""

    order: Ints
    members: frozenset[int]


class ActiveClosure(msgspec.Struct, frozen=True):
    """A closure at an instant. `shown`: the reader may know which one it is."""

    id: UUID
    version: int
    streets: tuple[str, ...]
    closed_to: tuple[Profile, ...]
    arcs: ClosedArcs
    shown: bool


NOTHING = Closed(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def of_streets(graph: Graph, streets: Iterable[int]) -> Closed:
    """All edges of some streets."""
    index = graph.streets_by_id
    found = [index[s] for s in dict.fromkeys(streets) if s in index]
    edges = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    return Closed(edges, np.ones(len(edges), dtype=np.int64))


def of_area(graph: Graph, area: shapely.Geometry) -> Closed:
    """The edges of which a part lies in an area (WGS 84)."""
    plane = shapely.transform(area, graph.plane)
    near = graph.tree.query(plane, predicate="intersects")
    inside = shapely.length(shapely.intersection(graph.lines[near], plane))
    edges = near[inside >= np.minimum(_WITHIN_M, graph.metres[near] / 2)]
    edges = np.sort(edges).astype(np.int64)
    return Closed(edges, np.ones(len(edges), dtype=np.int64))


def of_line(graph: Graph, line: shapely.Geometry) -> Closed:
    """The edges that a line (WGS 84) was drawn along, or across."""
    return _beside(graph, shapely.transform(line, graph.plane), _BESIDE_M)


def of_parts(graph: Graph, parts: Sequence[Part]) -> Closed:
    """The edges on the lines of a closure, in the graph as it is now."""
    index = graph.streets_by_id
    edges: list[Ints] = []
    along: list[Ints] = []
    for part in parts:
        line = shapely.linestrings(graph.plane(np.array(part.line, dtype=np.float64)))
        own = index.get(part.street)
        found = _beside(graph, line, _SAME_M[1]) if own is None else _on(graph, line, own)
        edges.append(found.edges)
        along.append(found.along)
    if not edges:
        return NOTHING
    whole, first = np.unique(np.concatenate(edges), return_index=True)
    return Closed(whole, np.concatenate(along)[first])


def parts_of(graph: Graph, closed: Closed) -> list[Part]:
    """What a closure keeps of its edges."""
    made: list[Part] = []
    for edge, way in zip(closed.edges.tolist(), closed.along.tolist(), strict=True):
        line = np.round(graph.line(edge), 6)[:: int(way)]
        made.append(
            Part(
                graph.streets[int(graph.street[edge])].id,
                tuple((float(x), float(y)) for x, y in line.tolist()),
            )
        )
    return made


def _on(graph: Graph, line: Any, edges: Ints) -> Closed:
    """Those of some edges that lie on a line, as nearly as any do."""
    samples = _samples(graph, edges)
    distance = shapely.distance(samples, line)
    for limit in _SAME_M:
        lies = (distance <= limit).any(axis=1)
        if lies.any():
            return Closed(edges[lies], _ways(line, samples[lies]))
    return Closed(edges[:0], edges[:0])


def _beside(graph: Graph, line: Any, reach: float) -> Closed:
    room = shapely.buffer(line, reach)
    near = graph.tree.query(room, predicate="intersects").astype(np.int64)
    near.sort()
    inside = shapely.length(shapely.intersection(graph.lines[near], room))
    samples = _samples(graph, near)
    # How far one gets along the drawn line on the middle half of the edge: next to nothing on a
    # short street across it.
    run = _along(line, samples[:, 2]) - _along(line, samples[:, 0])
    parallel = np.abs(run) >= graph.metres[near] / 4
    drawn = float(shapely.length(line))
    chosen = (inside >= _MOST_OF_IT * graph.metres[near]) & parallel
    chosen |= (inside >= _MOST_OF_IT * max(drawn, 2 * reach)) & (np.abs(run) > 0)
    # A stroke across a street closes the street.
    if not chosen.any() and drawn <= 4 * reach:
        chosen = shapely.intersects(graph.lines[near], line)
    edges = near[chosen]
    return Closed(edges, _ways(line, samples[chosen]))


def _samples(graph: Graph, edges: Ints) -> Any:
    lines = graph.lines[edges]
    return shapely.line_interpolate_point(lines[:, None], _SAMPLES[None, :], normalized=True)


def _along(line: Any, points: Any) -> Floats:
    if shapely.get_type_id(line) != 1:
        return np.zeros(len(points))
    return np.asarray(shapely.line_locate_point(line, points), dtype=np.float64)


def _ways(line: Any, samples: Any) -> Ints:
    run = _along(line, samples[:, 2]) - _along(line, samples[:, 0])
    return np.where(run < 0, -1, 1).astype(np.int64)
