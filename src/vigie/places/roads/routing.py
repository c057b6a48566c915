"""Ways over the road graph: pure. What is closed is a matter of weights, never of the graph.

weights = closed(graph.base["car"], arcs)          # closures: nothing is rebuilt
start, end = snap(graph, weights, …), snap(graph, weights, …)
path = shortest(graph, weights, start, end)
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.geometry import Floats, unplane
from vigie.places.roads.graph import Bools, Graph, Ints

# A way within a metropolis is never longer; beyond it a search stops.
MOST_S = 6 * 3600.0
# Further from any street a place has no street.
REACH_M = 2_000.0
_RINGS_M = (60.0, 250.0, REACH_M)
# So much further away a street may be when the nearest one leads nowhere.
_DETOUR_M = 60.0
# scipy takes an explicit zero for an arc, other programs for none.
_LEAST = 1e-9


class Snap(msgspec.Struct, frozen=True):
    """A place on an edge: how far along its line, and how far the place was from it."""

    edge: int
    fraction: float
    distance_m: float
    lon: float
    lat: float


class Leg(msgspec.Struct, frozen=True):
    """A part of an arc: from one fraction of the edge's line to another."""

    arc: int
    start: float
    end: float


class Path(msgspec.Struct, frozen=True):
    """A way: its time, its length, and what it goes over in order."""

    seconds: float
    metres: float
    legs: tuple[Leg, ...]


def closed(base: Floats, arcs: Iterable[int] | Ints) -> Floats:
    """Weights with some arcs closed."""
    which = np.asarray(list(arcs) if not isinstance(arcs, np.ndarray) else arcs, dtype=np.int64)
    if not len(which):
        return base
    weights = base.copy()
    weights[which] = np.inf
    return weights


def usable(weights: Floats) -> Bools:
    """Which edges may be travelled in some direction."""
    return np.isfinite(weights[0::2]) | np.isfinite(weights[1::2])


def snap(
    graph: Graph, allowed: Bools, lon: float, lat: float, main: Bools | None = None
) -> Snap | None:
    """The nearest place on an edge that is allowed; None when none is within reach.

    Of edges that are about as near, one in the main part of the network is taken.
    """
    if not graph.edges:
        return None
    place = graph.plane(np.array([[lon, lat]]))[0]
    point = shapely.points(place)
    for radius in _RINGS_M:
        found = graph.tree.query(point, predicate="dwithin", distance=radius)
        found = found[allowed[found]]
        if not len(found):
            continue
        distance = shapely.distance(graph.lines[found], point)
        handicap = 0.0 if main is None else np.where(main[found], 0.0, _DETOUR_M)
        best = int(np.lexsort((found, distance + handicap))[0])
        edge, line = int(found[best]), graph.lines[found[best]]
        fraction = _whole(float(shapely.line_locate_point(line, point, normalized=True)))
        there = shapely.get_coordinates(shapely.line_interpolate_point(line, fraction, True))[0]
        x, y = unplane(there[0], there[1], graph.origin)
        return Snap(edge, fraction, float(distance[best]), float(x), float(y))
    return None


def _whole(fraction: float) -> float:
    """A place within a hair of an end of its edge is at the end."""
    return 0.0 if fraction < 1e-6 else 1.0 if fraction > 1 - 1e-6 else fraction


def _cost(share: float, weight: float) -> float:
    """Seconds for a share of an arc. Who stands at its very end need not travel it, so that one
    at a junction is not bound to the street that the place was found on."""
    return 0.0 if share == 0 else share * weight


class Search:
    """The times from a place to everywhere, or from everywhere to it (`backward`)."""

    def __init__(
        self,
        graph: Graph,
        weights: Floats,
        start: Snap,
        *,
        backward: bool = False,
        limit: float = MOST_S,
    ) -> None:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        self.graph, self.weights, self.start, self.backward = graph, weights, start, backward
        edge, t = start.edge, start.fraction
        ahead, back = float(weights[2 * edge]), float(weights[2 * edge + 1])
        # The place is one node more: two arcs lead from it to the ends of its edge.
        if backward:
            first = (
                (int(graph.tail[edge]), _cost(t, ahead)),
                (int(graph.head[edge]), _cost(1 - t, back)),
            )
        else:
            first = (
                (int(graph.head[edge]), _cost(1 - t, ahead)),
                (int(graph.tail[edge]), _cost(t, back)),
            )
        data = weights[graph.arcs ^ 1] if backward else weights[graph.arcs]
        count = graph.nodes
        matrix = csr_array(
            (
                np.maximum(np.append(data, [seconds for _, seconds in first]), _LEAST),
                np.append(graph.heads, np.array([node for node, _ in first], dtype=np.int32)),
                np.append(graph.indptr, graph.indptr[-1] + 2),
            ),
            shape=(count + 1, count + 1),
        )
        seconds, before = dijkstra(
            matrix, directed=True, indices=count, return_predecessors=True,
            limit=min(limit, MOST_S),
        )  # fmt: skip
        self.seconds: Floats = seconds[:count]
        self._before: NDArray[np.int32] = before[:count]

    def to(self, end: Snap) -> float:
        """Seconds between the two places; inf when there is no way."""
        return self._best(end)[0]

    def path(self, end: Snap) -> Path | None:
        """The way between them in the order of travel; None when there is none."""
        seconds, last, node = self._best(end)
        if last is None:
            return None
        legs = [last]
        while node is not None:
            before = int(self._before[node])
            if before == self.graph.nodes:
                legs.append(self._first(node))
                break
            legs.append(self._arc(before, node))
            node = before
        if not self.backward:
            legs.reverse()
        legs = [leg for leg in legs if leg.start != leg.end] or legs[:1]
        metres = sum(abs(g.end - g.start) * float(self.graph.metres[g.arc >> 1]) for g in legs)
        return Path(seconds, metres, tuple(legs))

    def _best(self, end: Snap) -> tuple[float, Leg | None, int | None]:
        """Seconds, the last leg, and the junction before it (None: on one edge)."""
        graph, weights = self.graph, self.weights
        s, t = self.start.fraction, end.fraction
        edge = end.edge
        ahead, back = float(weights[2 * edge]), float(weights[2 * edge + 1])
        tail, head = int(graph.tail[edge]), int(graph.head[edge])
        # From the far end of the edge to the place, or from the place to it.
        if self.backward:
            ways: list[tuple[float, Leg, int | None]] = [
                (self.seconds[head] + _cost(1 - t, ahead), Leg(2 * edge, t, 1.0), head),
                (self.seconds[tail] + _cost(t, back), Leg(2 * edge + 1, t, 0.0), tail),
            ]
        else:
            ways = [
                (self.seconds[tail] + _cost(t, ahead), Leg(2 * edge, 0.0, t), tail),
                (self.seconds[head] + _cost(1 - t, back), Leg(2 * edge + 1, 1.0, t), head),
            ]
        if edge == self.start.edge:
            one, two = (t, s) if self.backward else (s, t)
            if two >= one:
                ways.append((_cost(two - one, ahead), Leg(2 * edge, one, two), None))
            if two <= one:
                ways.append((_cost(one - two, back), Leg(2 * edge + 1, one, two), None))
        seconds, leg, node = min(ways, key=lambda way: float(way[0]))
        if not np.isfinite(seconds):
            return float("inf"), None, None
        return float(seconds), leg, node

    def _first(self, node: int) -> Leg:
        """The part of the start's own edge that leads to (or comes from) a junction."""
        edge, t = self.start.edge, self.start.fraction
        ahead, back = float(self.weights[2 * edge]), float(self.weights[2 * edge + 1])
        tail, head = int(self.graph.tail[edge]), int(self.graph.head[edge])
        if self.backward:
            ways = [(_cost(t, ahead), tail, Leg(2 * edge, 0.0, t)),
                    (_cost(1 - t, back), head, Leg(2 * edge + 1, 1.0, t))]  # fmt: skip
        else:
            ways = [(_cost(1 - t, ahead), head, Leg(2 * edge, t, 1.0)),
                    (_cost(t, back), tail, Leg(2 * edge + 1, t, 0.0))]  # fmt: skip
        open_ = [way for way in ways if way[1] == node and np.isfinite(way[0])]
        return min(open_, key=lambda way: way[0])[2]

    def _arc(self, before: int, node: int) -> Leg:
        """The fastest arc between two neighbours: several streets may join the same junctions."""
        row = slice(int(self.graph.indptr[before]), int(self.graph.indptr[before + 1]))
        arcs = self.graph.arcs[row][self.graph.heads[row] == node]
        if self.backward:
            arcs = arcs ^ 1
        arc = int(arcs[np.argmin(self.weights[arcs])])
        return Leg(arc, 1.0, 0.0) if arc & 1 else Leg(arc, 0.0, 1.0)


def shortest(graph: Graph, weights: Floats, start: Snap, end: Snap) -> Path | None:
    """The fastest way from one place to another; None when there is none."""
    return Search(graph, weights, start).path(end)


def nearest(
    graph: Graph,
    weights: Floats,
    place: Snap,
    candidates: Sequence[Snap | None],
    *,
    away: bool = False,
) -> list[float]:
    """Seconds of each candidate to the place, or from it (`away`), in their order; inf for one
    that has no way. One search, whatever their number."""
    search = Search(graph, weights, place, backward=not away)
    return [float("inf") if c is None else search.to(c) for c in candidates]


def coordinates(graph: Graph, path: Path) -> Floats:
    """The line of a way, [lon, lat]."""
    parts = [_part(graph, leg) for leg in path.legs]
    whole = np.concatenate(parts)
    same = (np.round(whole[1:], 6) == np.round(whole[:-1], 6)).all(axis=1)
    kept = whole[np.concatenate([[True], ~same])]
    return kept if len(kept) > 1 else whole[[0, -1]]


def streets(graph: Graph, path: Path, weights: Floats) -> Iterator[tuple[str, float, float]]:
    """The streets of a way in order: name, metres, seconds; one name after itself is one."""
    name: str | None = None
    metres = seconds = 0.0
    for leg in path.legs:
        edge = leg.arc >> 1
        share = abs(leg.end - leg.start)
        here = graph.streets[int(graph.street[edge])].name
        if name is not None and here != name:
            yield name, metres, seconds
            metres = seconds = 0.0
        name = here
        metres += share * float(graph.metres[edge])
        seconds += share * float(weights[leg.arc]) if share else 0.0
    if name is not None:
        yield name, metres, seconds


def _part(graph: Graph, leg: Leg) -> Floats:
    line = graph.line(leg.arc >> 1)
    low, high = min(leg.start, leg.end), max(leg.start, leg.end)
    if low > 0 or high < 1:
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(graph.plane(line), axis=0).T))])
        at = np.array([low, high]) * along[-1]
        inner = (along > at[0]) & (along < at[1])
        ends: Any = np.column_stack([np.interp(at, along, line[:, k]) for k in (0, 1)])
        line = np.concatenate([ends[:1], line[inner], ends[1:]])
    return line[::-1] if leg.end < leg.start else line
