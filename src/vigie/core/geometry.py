"""Geometry of a city: WGS 84 in, metres out. Pure, vectorised, no I/O."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RADIUS_M = 6_378_137.0
MEAN_RADIUS_M = 6_371_008.8
MERCATOR_LIMIT = 85.051128779806
METRES_A_DEGREE = MEAN_RADIUS_M * np.pi / 180


def mercator(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Web Mercator metres (EPSG:3857): nearest there is nearest on the ground, locally.

    Latitudes beyond ±85.05° are clamped, as every web map does.
    """
    x = np.radians(np.asarray(lon, dtype=np.float64)) * RADIUS_M
    bounded = np.clip(np.asarray(lat, dtype=np.float64), -MERCATOR_LIMIT, MERCATOR_LIMIT)
    y = np.arctanh(np.sin(np.radians(bounded))) * RADIUS_M
    return x, y


def unmercator(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Longitude and latitude of Web Mercator metres."""
    lon = np.degrees(np.asarray(x, dtype=np.float64) / RADIUS_M)
    lat = np.degrees(np.arcsin(np.tanh(np.asarray(y, dtype=np.float64) / RADIUS_M)))
    return lon, lat


def distance_m(lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike) -> Floats:
    """Great-circle distance in metres, element by element."""
    a, b = np.radians(np.asarray(lat_a, float)), np.radians(np.asarray(lat_b, float))
    half = np.radians(np.asarray(lon_b, float) - np.asarray(lon_a, float)) / 2
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(half) ** 2
    return 2 * MEAN_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def length_m(line: ArrayLike) -> float:
    """Length of a line of [lon, lat] pairs, in metres."""
    points = np.asarray(line, dtype=np.float64)
    if len(points) < 2:
        return 0.0
    ends = (points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1])
    return float(distance_m(*ends).sum())


def local_metres(lon: ArrayLike, lat: ArrayLike, at: tuple[float, float]) -> tuple[Floats, Floats]:
    """Metres east and north of a point: equirectangular, good over one metropolis."""
    east = (np.asarray(lon, float) - at[0]) * METRES_A_DEGREE * np.cos(np.radians(at[1]))
    north = (np.asarray(lat, float) - at[1]) * METRES_A_DEGREE
    return east, north


def unplane(east: ArrayLike, north: ArrayLike, at: tuple[float, float]) -> tuple[Floats, Floats]:
    """Longitude and latitude of `local_metres`."""
    lon = np.asarray(east, float) / (METRES_A_DEGREE * np.cos(np.radians(at[1]))) + at[0]
    return lon, np.asarray(north, float) / METRES_A_DEGREE + at[1]


class BBox(msgspec.Struct, frozen=True, array_like=True):
    """West, south, east, north, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, lon: ArrayLike, lat: ArrayLike) -> "BBox":
        """The box around points; there must be at least one."""
        x, y = np.asarray(lon, float), np.asarray(lat, float)
        return cls(float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    @classmethod
    def union(cls, boxes: Iterable["BBox"]) -> "BBox | None":
        """The box around boxes; None when there is none."""
        all_of = list(boxes)
        if not all_of:
            return None
        return cls(
            min(b.west for b in all_of),
            min(b.south for b in all_of),
            max(b.east for b in all_of),
            max(b.north for b in all_of),
        )

    def grown(self, metres: float) -> "BBox":
        """The same box with a margin on each side."""
        up = metres / METRES_A_DEGREE
        widest = min(max(abs(self.south), abs(self.north)), 89.0)
        along = up / float(np.cos(np.radians(widest)))
        return BBox(self.west - along, self.south - up, self.east + along, self.north + up)

    def contains(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Which points are inside, edges included; NaN is not."""
        x, y = np.asarray(lon, float), np.asarray(lat, float)
        return (x >= self.west) & (x <= self.east) & (y >= self.south) & (y <= self.north)

    @property
    def centre(self) -> tuple[float, float]:
        """[lon, lat] of the middle."""
        return (self.west + self.east) / 2, (self.south + self.north) / 2

    def mercator(self) -> tuple[float, float, float, float]:
        """The same box in Web Mercator metres."""
        x, y = mercator([self.west, self.east], [self.south, self.north])
        return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def rounded(coordinates: Any, digits: int = 6) -> Any:
    """GeoJSON coordinates cut to a precision: 6 decimals are 11 cm."""
    return np.round(np.asarray(coordinates, dtype=np.float64), digits).tolist()
