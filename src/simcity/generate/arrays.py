"""The array types of the generator, and the few scipy calls it makes, typed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix  # pyright: ignore
from scipy.sparse.csgraph import connected_components  # pyright: ignore
from scipy.spatial import Voronoi, cKDTree  # pyright: ignore

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def nearest(points: Floats, among: Floats) -> Ints:
    """For each point the index of the nearest of `among`."""
    tree: Any = cKDTree(among)
    return np.asarray(tree.query(points)[1], dtype=np.int64)


def nearest_distance(points: Floats, among: Floats) -> tuple[Floats, Ints]:
    tree: Any = cKDTree(among)
    distance, index = tree.query(points)
    return np.asarray(distance, dtype=np.float64), np.asarray(index, dtype=np.int64)


def voronoi_edges(seeds: Floats) -> tuple[Floats, Ints, Ints]:
    """Finite Voronoi edges: vertices, (edge → two vertices), (edge → its two seeds)."""
    diagram: Any = Voronoi(seeds)
    edges = np.asarray(diagram.ridge_vertices, dtype=np.int64)
    sides = np.asarray(diagram.ridge_points, dtype=np.int64)
    finite = (edges >= 0).all(axis=1)
    vertices = np.asarray(diagram.vertices, dtype=np.float64)
    return vertices, edges[finite], sides[finite]


def components(count: int, pairs: Ints) -> Ints:
    """Label of the connected component of each of `count` things linked by `pairs`."""
    graph: Any = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
