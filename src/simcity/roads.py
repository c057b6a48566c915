"""The street graph that buses, vehicles and people move on, and shortest ways over it."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.sparse import coo_matrix  # pyright: ignore
from scipy.sparse.csgraph import dijkstra  # pyright: ignore
from scipy.spatial import cKDTree  # pyright: ignore

from simcity.lamp import Floats, Ints

METRES_PER_DEGREE = 111_195.0
GRID = 12  # blocks a side, where no streets are given


class _Geometry(msgspec.Struct):
    coordinates: list[tuple[float, float]]


class _Feature(msgspec.Struct):
    geometry: _Geometry


class _Streets(msgspec.Struct):
    features: list[_Feature]


class Roads:
    """Crossings as points in metres around an origin, joined by street edges."""

    def __init__(self, lonlat: Floats, edges: Ints):
        self._origin = lonlat.mean(axis=0)
        narrow = np.cos(np.radians(self._origin[1]))
        self._scale = np.array([METRES_PER_DEGREE * narrow, METRES_PER_DEGREE])
        self.xy = (lonlat - self._origin) * self._scale
        length = np.hypot(*(self.xy[edges[:, 0]] - self.xy[edges[:, 1]]).T)
        count = len(lonlat)
        self._graph: Any = coo_matrix(
            (np.maximum(length, 0.1), (edges[:, 0], edges[:, 1])), (count, count)
        ).tocsr()
        self._tree: Any = cKDTree(self.xy)

    def to_xy(self, lon: Floats, lat: Floats) -> Floats:
        return (np.stack([lon, lat], axis=-1) - self._origin) * self._scale

    def to_lonlat(self, xy: Floats) -> Floats:
        return xy / self._scale + self._origin

    def nearest(self, xy: Floats) -> Ints:
        return np.asarray(self._tree.query(xy)[1], dtype=np.int64)

    def around(self, xy: Floats, metres: float) -> Ints:
        """Crossings within so many metres, the nearest one at least."""
        found = np.sort(np.asarray(self._tree.query_ball_point(xy, metres), dtype=np.int64))
        return found if len(found) else np.atleast_1d(self.nearest(xy))

    def way(self, start: int, end: int) -> Floats:
        """The points of the shortest way; a straight line where no street joins the two."""
        if start == end:
            return self.xy[[start, end]]
        far = float(np.hypot(*(self.xy[start] - self.xy[end])))
        for limit in (2.0 * far + 500, np.inf):
            _, before = dijkstra(
                self._graph, directed=False, indices=start, return_predecessors=True, limit=limit
            )
            if before[end] >= 0:
                path = [end]
                while path[-1] != start:
                    path.append(int(before[path[-1]]))
                return self.xy[path[::-1]]
        return self.xy[[start, end]]


def read_roads(folder: Path | None, around: tuple[float, float]) -> Roads:
    """The streets of a drawn city; without them a plain grid around a place."""
    file = None if folder is None else folder / "streets.geojson"
    if file is None or not file.exists():
        return _grid(*around)
    streets = msgspec.json.decode(file.read_bytes(), type=_Streets).features
    number: dict[tuple[float, float], int] = {}
    edges: list[tuple[int, int]] = []
    for street in streets:
        path = [number.setdefault(point, len(number)) for point in street.geometry.coordinates]
        edges += pairwise(path)
    return Roads(np.array(list(number)), np.array(edges, dtype=np.int64))


def _grid(lon: float, lat: float) -> Roads:
    side = np.linspace(-0.012, 0.012, GRID + 1)
    x, y = (a.ravel() for a in np.meshgrid(side * 1.5 + lon, side + lat))
    place = np.arange((GRID + 1) ** 2).reshape(GRID + 1, GRID + 1)
    across = np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()], axis=-1)
    up = np.stack([place[:-1].ravel(), place[1:].ravel()], axis=-1)
    return Roads(np.stack([x, y], axis=-1), np.concatenate([across, up]))
