"""Which municipality a position is in: by contours when they are known, else by a good guess.

The guess: each municipality is a disc of its own area around its centroid, and a position belongs
to the one whose centroid is nearest in radii of its disc. Against the contours of Dijon's 23 it is
right for 86% of the ground (plain nearest centroid: 77%; power diagram d² - r²: 82%, and it gives a
village beside a large town away).
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from vigie.core.geometry import BBox, Floats, local_metres
from vigie.core.text import fold
from vigie.places.model import Municipality

# Generalised contours leave slivers between neighbours and along rivers.
SLIVER_M = 60.0
# How far from its centroid a municipality may reach, in radii of a disc of its area.
REACH, REACH_M = 2.2, 500.0


class Locator:
    """Answers for one territory; build once, ask for many positions at a time."""

    def __init__(
        self, municipalities: Sequence[Municipality], contours: Mapping[str, str] | None = None
    ) -> None:
        contours = contours or {}
        self.municipalities = list(municipalities)
        self._codes = np.array([m.insee for m in municipalities], dtype=object)
        self._names: dict[str, str] = {fold(m.name): m.insee for m in municipalities}
        self._known = set(self._codes.tolist())
        lon = np.array([m.centroid[0] for m in municipalities], dtype=np.float64)
        lat = np.array([m.centroid[1] for m in municipalities], dtype=np.float64)
        self.origin = (float(lon.mean()), float(lat.mean())) if len(lon) else (0.0, 0.0)
        self._east, self._north = local_metres(lon, lat, self.origin)
        self._radius = np.sqrt(
            np.array([m.area_km2 for m in municipalities], dtype=np.float64) * 1e6 / np.pi
        )
        shapes = [(i, contours[c]) for i, c in enumerate(self._codes) if c in contours]
        self._contoured = np.array([i for i, _ in shapes], dtype=np.int64)
        self._rough = np.array([c not in contours for c in self._codes], dtype=bool)
        polygons = shapely.from_geojson([text for _, text in shapes]) if shapes else []
        self._tree = shapely.STRtree([shapely.transform(p, self._plane) for p in polygons])
        self._boxes = [BBox(*shapely.bounds(p).tolist()) for p in polygons]

    def _plane(self, coordinates: Floats) -> Floats:
        return np.column_stack(local_metres(coordinates[:, 0], coordinates[:, 1], self.origin))

    def code(self, text: str) -> str | None:
        """The municipality a text names, by code or by name; None when it is not of here."""
        plain = text.strip()
        return plain if plain in self._known else self._names.get(fold(plain))

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.object_]:
        """The INSEE code of each position, "" where it is in none."""
        x, y = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (lon, lat))
        found = np.full(len(x), "", dtype=object)
        if not len(self._codes) or not len(x):
            return found
        east, north = local_metres(x, y, self.origin)
        open_ = np.isfinite(east) & np.isfinite(north)
        if len(self._contoured):
            places = np.column_stack([east, north])
            points = np.asarray(shapely.points(np.where(open_[:, None], places, 1e12)), object)
            hit, polygon = self._tree.query(points, predicate="intersects")
            found[hit[::-1]] = self._codes[self._contoured[polygon[::-1]]]
            open_ &= found == ""
            if open_.any():
                rest = np.flatnonzero(open_)
                near, polygon = self._tree.query_nearest(
                    points[rest], max_distance=SLIVER_M, all_matches=False
                )
                found[rest[near]] = self._codes[self._contoured[polygon]]
                open_ &= found == ""
        if self._rough.any() and open_.any():
            rest = np.flatnonzero(open_)
            found[rest] = self._nearest_disc(east[rest], north[rest])
        return found

    def _nearest_disc(self, east: Floats, north: Floats) -> NDArray[np.object_]:
        e, n, r = (v[self._rough] for v in (self._east, self._north, self._radius))
        found = np.full(len(east), "", dtype=object)
        for start in range(0, len(east), 20_000):
            part = slice(start, start + 20_000)
            square = (east[part, None] - e) ** 2 + (north[part, None] - n) ** 2
            best = np.argmin(square / r**2, axis=1)
            reach = np.maximum(REACH * r[best], r[best] + REACH_M)
            near = square[np.arange(len(best)), best] <= reach**2
            found[part] = np.where(near, self._codes[self._rough][best], "")
        return found

    def bbox(self) -> BBox | None:
        """The territory's box: contours, and discs where there are none."""
        boxes = list(self._boxes)
        for i in np.flatnonzero(self._rough):
            at = self.municipalities[int(i)].centroid
            boxes.append(BBox(*at, *at).grown(float(self._radius[i]) * 1.2))
        return BBox.union(boxes)


class Streets:
    """Which street a position is in: the nearest line, when it is near enough."""

    NEAR_M = 40.0

    def __init__(
        self, names: Sequence[str], geometries: Sequence[str], origin: tuple[float, float]
    ) -> None:
        self._names = np.array(names, dtype=object)
        self._origin = origin
        lines = shapely.from_geojson(list(geometries)) if geometries else []
        self._tree = shapely.STRtree(
            shapely.transform(np.asarray(lines, dtype=object), self._plane) if len(lines) else []
        )

    def _plane(self, coordinates: Floats) -> Floats:
        return np.column_stack(local_metres(coordinates[:, 0], coordinates[:, 1], self._origin))

    def __len__(self) -> int:
        return len(self._names)

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.object_]:
        """The name of the street of each position, "" where none is near."""
        places = np.column_stack(local_metres(lon, lat, self._origin))
        found = np.full(len(places), "", dtype=object)
        if len(self) and len(places):
            points = np.asarray(shapely.points(places), dtype=object)
            hit, line = self._tree.query_nearest(
                points, max_distance=self.NEAR_M, all_matches=False
            )
            found[hit] = self._names[line]
        return found


def contour_text(geometry: shapely.Geometry) -> str:
    """A contour as stored: GeoJSON with 6 decimals."""
    return json.dumps(
        json.loads(shapely.to_geojson(shapely.set_precision(geometry, 1e-6, mode="pointwise"))),
        separators=(",", ":"),
    )
