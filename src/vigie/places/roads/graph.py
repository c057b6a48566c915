"""The road graph: built from street lines, pure, held in memory as arrays.

An edge is a piece of street between two junctions; it has two arcs, `2 * edge` along its line and
`2 * edge + 1` against it, whether or not anyone may travel there: what may be travelled is a matter
of weights. Streets meet

- where they end within `SNAP_M` of each other, whatever their layer: a bridge is reached there;
- where they have a vertex in the same place on the same layer;
- where one ends on another of its layer without a vertex: the other is split there.

Lines that merely cross do not meet: one is a bridge that nobody marked.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.errors import TooLarge
from vigie.core.geometry import Floats, distance_m, local_metres
from vigie.places.roads.rules import PROFILES, Profile, Traits, may, speed_kmh

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SNAP_M = 1.0
MOST_POINTS = 5_000_000
# Pairs of an end and a line near it that are looked at: a file of a million lines on one spot would
# have a million millions.
_MOST_PAIRS = 4_000_000
_AT_ONCE = 64


class Street(msgspec.Struct, frozen=True):
    """A row of the base map, as far as the graph needs it; `line` is a shapely line or several."""

    id: int
    name: str
    insee: str
    traits: Traits
    line: Any


class Graph:
    """Junctions and the pieces of street between them; read by many threads, never changed.

    `heads` and `indptr` are the compressed rows of all arcs by their tail, `arcs` their numbers.
    As each edge has an arc in either direction, the same rows with the weights of `arcs ^ 1` are
    the graph turned round.
    """

    def __init__(self, streets: Sequence[Street]) -> None:
        self.streets = list(streets)
        points = _Points.of(self.streets)
        ways = np.flatnonzero(np.diff(points.line, prepend=-1, append=-1))
        self.origin = (
            (float(points.lon.mean()), float(points.lat.mean())) if len(points.lon) else (0.0, 0.0)
        )
        points = points.with_vertices_at_ends(ways, self.origin)
        split, node, at = points.junctions(self.origin)
        self.lon, self.lat = points.lon, points.lat
        self.node_lon, self.node_lat = points.lon[at], points.lat[at]
        steps = np.zeros(len(self.lon))
        if len(steps) > 1:
            steps[1:] = distance_m(self.lon[:-1], self.lat[:-1], self.lon[1:], self.lat[1:])
        # Metres along all lines, one after the other: never less than before.
        self.along = along = np.cumsum(steps)
        marks = np.flatnonzero(split)
        together = points.line[marks[:-1]] == points.line[marks[1:]]
        first, last = marks[:-1][together], marks[1:][together]
        metres = along[last] - along[first]
        tails, heads = node[first], node[last]
        kept = (tails != heads) | (metres > SNAP_M)
        self.first, self.last = first[kept], last[kept]
        self.metres = np.maximum(metres[kept], 0.01)
        self.tail, self.head = tails[kept], heads[kept]
        self.street = points.street[self.first]
        self._rows()

    def _rows(self) -> None:
        tails = np.column_stack([self.tail, self.head]).ravel()
        order = np.argsort(tails, kind="stable")
        self.arcs: Ints = order.astype(np.int64)
        self.heads = np.column_stack([self.head, self.tail]).ravel()[order].astype(np.int32)
        counts = np.bincount(tails, minlength=self.nodes)
        self.indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    @property
    def nodes(self) -> int:
        """How many junctions."""
        return len(self.node_lon)

    @property
    def edges(self) -> int:
        """How many pieces of street."""
        return len(self.metres)

    def ends(self, arc: int) -> tuple[int, int]:
        """The junctions that an arc leads from and to."""
        edge = arc >> 1
        tail, head = int(self.tail[edge]), int(self.head[edge])
        return (head, tail) if arc & 1 else (tail, head)

    def line(self, edge: int) -> Floats:
        """The line of an edge, [lon, lat]."""
        part = slice(int(self.first[edge]), int(self.last[edge]) + 1)
        return np.column_stack([self.lon[part], self.lat[part]])

    def places(self, edges: Ints, share: Floats) -> Floats:
        """Places at a share of the length of edges, in metres around the middle of the graph."""
        first, last = self.along[self.first[edges]], self.along[self.last[edges]]
        at = first + share * (last - first)
        lon, lat = np.interp(at, self.along, self.lon), np.interp(at, self.along, self.lat)
        return np.column_stack(local_metres(lon, lat, self.origin))

    def plane(self, coordinates: Floats) -> Floats:
        """[lon, lat] in metres around the middle of the graph."""
        return np.column_stack(local_metres(coordinates[:, 0], coordinates[:, 1], self.origin))

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """Every edge as a shapely line, in metres."""
        east, north = local_metres(self.lon, self.lat, self.origin)
        counts = self.last - self.first + 1
        which = np.repeat(np.arange(self.edges), counts)
        if not self.edges:
            return np.zeros(0, dtype=object)
        start = np.concatenate([[0], np.cumsum(counts)[:-1]])
        index = np.arange(int(counts.sum())) - np.repeat(start - self.first, counts)
        made = shapely.linestrings(np.column_stack([east[index], north[index]]), indices=which)
        return np.asarray(made, dtype=object)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The edges by place."""
        return shapely.STRtree(self.lines)

    @cached_property
    def streets_by_id(self) -> dict[int, Ints]:
        """The edges of each street, by its number on the base map."""
        order = np.argsort(self.street, kind="stable").astype(np.int64)
        which, starts = np.unique(self.street[order], return_index=True)
        pieces = np.split(order, starts[1:])
        return {self.streets[int(s)].id: p for s, p in zip(which, pieces, strict=bool(len(which)))}

    @cached_property
    def base(self) -> dict[Profile, Floats]:
        """Seconds of each arc when nothing is closed; inf where one may not travel."""
        found: dict[Profile, Floats] = {}
        for profile in PROFILES:
            speed = np.array([speed_kmh(s.traits, profile) for s in self.streets], dtype=float)
            ways = np.array([may(s.traits, profile) for s in self.streets], dtype=bool)
            ways = ways.reshape(-1, 2)[self.street]
            with np.errstate(divide="ignore"):
                seconds = self.metres * 3.6 / speed[self.street] if self.edges else self.metres
            found[profile] = np.where(ways, seconds[:, None], np.inf).ravel()
        return found

    @cached_property
    def main(self) -> dict[Profile, Bools]:
        """Which edges belong to the largest part in which everything is reached from everywhere."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        found: dict[Profile, Bools] = {}
        for profile in PROFILES:
            open_ = np.isfinite(self.base[profile])
            arcs = np.flatnonzero(open_)
            ends = np.column_stack([self.tail, self.head])
            tails, heads = ends.ravel()[arcs], ends[:, ::-1].ravel()[arcs]
            shape = (self.nodes, self.nodes)
            matrix = csr_array((np.ones(len(arcs)), (tails, heads)), shape=shape)
            _, label = connected_components(matrix, directed=True, connection="strong")
            largest = int(np.bincount(label).argmax()) if self.nodes else -1
            inside = label == largest
            found[profile] = inside[self.tail] & inside[self.head]
        return found


class _Points:
    """All vertices of all lines, one after the other."""

    def __init__(self, lon: Floats, lat: Floats, line: Ints, street: Ints, layer: Ints) -> None:
        self.lon, self.lat, self.line, self.street, self.layer = lon, lat, line, street, layer

    @classmethod
    def of(cls, streets: Sequence[Street]) -> "_Points":
        parts, owner = shapely.get_parts([s.line for s in streets], return_index=True)
        coordinates, line = shapely.get_coordinates(parts, return_index=True)
        if len(line) > MOST_POINTS:
            raise TooLarge(
                "roads_too_large",
                f"The streets have {len(line):,} vertices; the road graph takes {MOST_POINTS:,} at "
                "most: import the streets of the territory only.",
                {"limit": MOST_POINTS},
            )
        places = np.round(coordinates, 6)
        same = np.zeros(len(line), dtype=bool)
        same[1:] = (line[1:] == line[:-1]) & (places[1:] == places[:-1]).all(axis=1)
        places, line = places[~same], line[~same]
        # A line of which one place is left is none.
        long = np.bincount(line, minlength=len(parts))[line] > 1
        places, line = places[long], line[long]
        street = np.asarray(owner, dtype=np.int64)[line] if len(line) else line
        layers = np.array([s.traits.layer for s in streets], dtype=np.int64)
        return cls(places[:, 0], places[:, 1], line, street, layers[street])

    def ends(self) -> Bools:
        """Which vertices begin or end a line."""
        change = np.diff(self.line, prepend=-1, append=-1) != 0
        return change[:-1] | change[1:]

    def _sites(self) -> tuple[Ints, Ints]:
        """For each vertex a number of its place and layer, and how many vertices are there."""
        x = np.round((self.lon + 180) * 1e6).astype(np.int64)
        y = np.round((self.lat + 90) * 1e6).astype(np.int64)
        key = ((x << 28) | y) * 32 + (self.layer + 16)
        _, site, counts = np.unique(key, return_inverse=True, return_counts=True)
        return site.ravel(), counts

    def junctions(self, origin: tuple[float, float]) -> tuple[Bools, Ints, Ints]:
        """Which vertices are junctions, the node of each vertex, and a vertex of each node."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ends = self.ends()
        site, counts = self._sites()
        split = ends | (counts[site] > 1)
        # A vertex of each site, and the sites where a line ends.
        vertex = np.zeros(len(counts), dtype=np.int64)
        vertex[site] = np.arange(len(site))
        ending = np.unique(site[ends])
        pairs = self._near(vertex[ending], origin)
        joined = ending[pairs]
        graph = coo_array(
            (np.ones(len(joined), dtype=bool), (joined[:, 0], joined[:, 1])),
            shape=(len(counts), len(counts)),
        )
        _, group = connected_components(graph, directed=False)
        # Numbered over those that are junctions.
        used, number = np.unique(group[site[split]], return_inverse=True)
        node = np.full(len(site), -1, dtype=np.int64)
        node[split] = number.ravel()
        at = np.zeros(len(used), dtype=np.int64)
        at[node[split]] = np.flatnonzero(split)
        return split, node, at

    def _near(self, vertices: Ints, origin: tuple[float, float]) -> Ints:
        from scipy.spatial import KDTree

        if len(vertices) < 2:
            return np.zeros((0, 2), dtype=np.int64)
        places = np.column_stack(local_metres(self.lon[vertices], self.lat[vertices], origin))
        found: Any = KDTree(places).query_pairs(SNAP_M, output_type="ndarray")
        return np.asarray(found, dtype=np.int64).reshape(-1, 2)

    def with_vertices_at_ends(self, ways: Ints, origin: tuple[float, float]) -> "_Points":
        """The same with a vertex wherever a line ends on another one of its layer, which does not
        meet it by the other two rules; of several lines there, on the nearest."""
        if not len(self.lon):
            return self
        split, node, _ = self.junctions(origin)
        site, _ = self._sites()
        ending = np.flatnonzero(self.ends())
        # One of those that end in one place.
        _, one = np.unique(site[ending], return_index=True)
        ending = ending[one]
        places = np.column_stack(local_metres(self.lon, self.lat, origin))
        _, line = np.unique(self.line, return_inverse=True)
        lines = np.asarray(shapely.linestrings(places, indices=line.ravel()), dtype=object)
        line = line.ravel()
        layer = self.layer[ways[:-1]]
        # Lines that meet there already.
        meets = np.unique(node[split] * len(lines) + line[split])
        tree = shapely.STRtree(lines)
        hits: list[tuple[int, float, int]] = []
        seen = 0
        for start in range(0, len(ending), _AT_ONCE):
            some = ending[start : start + _AT_ONCE]
            points = np.asarray(shapely.points(places[some]), dtype=object)
            which, other = tree.query(points, predicate="dwithin", distance=SNAP_M)
            seen += len(which)
            if seen > _MOST_PAIRS:
                break
            there = some[which]
            fits = ~_among(meets, node[there] * len(lines) + other)
            fits &= self.layer[there] == layer[other]
            which, other = which[fits], other[fits]
            distance = shapely.distance(points[which], lines[other])
            nearest = np.lexsort((distance, which))
            _, best = np.unique(which[nearest], return_index=True)
            for k in nearest[best]:
                way = int(other[k])
                along = float(shapely.line_locate_point(lines[way], points[which[k]]))
                hits.append((way, along, int(some[which[k]])))
        return self._inserted(hits, places, line, ways) if hits else self

    def _inserted(
        self, hits: list[tuple[int, float, int]], places: Floats, line: Ints, ways: Ints
    ) -> "_Points":
        hits.sort()
        steps = np.zeros(len(places))
        steps[1:] = np.hypot(*(places[1:] - places[:-1]).T)
        along = np.cumsum(steps)
        before: list[int] = []
        for way, distance, _ in hits:
            first, end = int(ways[way]), int(ways[way + 1])
            target = along[first] + distance
            place = int(np.searchsorted(along[first:end], target, side="right")) + first
            before.append(min(max(place, first + 1), end - 1))
        ends = np.array([vertex for _, _, vertex in hits], dtype=np.int64)
        where = np.array(before, dtype=np.int64)
        # The vertex is the end's own place, on the line that it is put into.
        beside = where - 1
        return _Points(
            np.insert(self.lon, where, self.lon[ends]),
            np.insert(self.lat, where, self.lat[ends]),
            np.insert(self.line, where, self.line[beside]),
            np.insert(self.street, where, self.street[beside]),
            np.insert(self.layer, where, self.layer[beside]),
        )


def _among(ordered: Ints, values: Ints) -> Bools:
    """Which values are among ordered ones; numpy's isin would order them each time."""
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values
