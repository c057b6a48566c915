"""How far one comes in some minutes, as an area: pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from vigie.core.geometry import Floats, unplane
from vigie.places.roads.graph import Graph
from vigie.places.roads.routing import Search, Snap

# The area is made of squares: as many on a side at most, and none smaller.
_SQUARES = 150
# Gaps of twice so many squares are closed.
_CLOSED = 2
_SMALLEST_M = 30.0
# A square that holds no sample is closed by its neighbours.
_STEP_M = 45.0
_MOST_SAMPLES = 400_000


def reachable(
    graph: Graph, weights: Floats, start: Snap, limits_s: Sequence[float], *, backward: bool = False
) -> list[Any]:
    """For each limit the area from which, or to which, one comes within it: WGS 84 polygons."""
    search = Search(graph, weights, start, backward=backward, limit=max(limits_s))
    places, seconds = _samples(graph, weights, search, max(limits_s))
    return [_area(graph, places[seconds <= limit]) for limit in limits_s]


def _samples(graph: Graph, weights: Floats, search: Search, limit: float) -> tuple[Floats, Floats]:
    """Places on the streets that are reached, in metres, and when they are."""
    ahead, back = weights[0::2], weights[1::2]
    tail, head = search.seconds[graph.tail], search.seconds[graph.head]
    if search.backward:
        tail, head, ahead, back = tail, head, back, ahead
    near = (np.isfinite(ahead) & (tail <= limit)) | (np.isfinite(back) & (head <= limit))
    edges = np.flatnonzero(near)
    step = max(_STEP_M, float(graph.metres[edges].sum()) / _MOST_SAMPLES)
    counts = (graph.metres[edges] / step).astype(np.int64) + 2
    which = np.repeat(np.arange(len(edges)), counts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = number / (counts[which] - 1)
    edge = edges[which]
    with np.errstate(invalid="ignore"):
        from_tail = tail[edge] + np.where(share == 0, 0, share * ahead[edge])
        from_head = head[edge] + np.where(share == 1, 0, (1 - share) * back[edge])
    start = graph.plane(np.array([[search.start.lon, search.start.lat]]))
    places = np.concatenate([graph.places(edge, share), start])
    return places, np.append(np.minimum(from_tail, from_head), 0.0)


def _area(graph: Graph, places: Floats) -> Any:
    from scipy.ndimage import binary_closing

    low, high = places.min(axis=0), places.max(axis=0)
    size = max(_SMALLEST_M, float((high - low).max()) / _SQUARES)
    column, row = np.floor((places - low) / size).astype(np.int64).T
    # An empty margin, so that closing sees what is outside.
    squares = np.zeros(
        (int(row.max()) + 1 + 2 * _CLOSED, int(column.max()) + 1 + 2 * _CLOSED), bool
    )
    squares[row + _CLOSED, column + _CLOSED] = True
    # Courtyards between reached streets are reached.
    filled = binary_closing(squares, iterations=_CLOSED)
    edges = np.diff(np.pad(filled.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    # Neighbours in a row are one strip: a few hundred shapes to join.
    south, west = np.nonzero(edges == 1)
    _, east = np.nonzero(edges == -1)
    west, east, south = ((v - _CLOSED) * size for v in (west, east, south))
    strips = shapely.box(west, south, east, south + size)
    joined = shapely.transform(shapely.union_all(strips), lambda c: c + low)
    smooth = shapely.simplify(joined, size / 2)

    def degrees(metres: Floats) -> Floats:
        return np.round(np.column_stack(unplane(metres[:, 0], metres[:, 1], graph.origin)), 6)

    return shapely.transform(smooth, degrees)
