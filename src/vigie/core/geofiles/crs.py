"""Reference systems: which one a file is in, and WGS 84 from it."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from vigie.core.errors import Invalid
from vigie.core.geofiles.source import Geometries, ReadOptions
from vigie.core.geometry import BBox

Floats = NDArray[np.float64]
WGS84 = "EPSG:4326"
_DEGREES_X, _DEGREES_Y = 180.000001, 90.000001
# How far around the territory its objects may lie.
_AROUND_M = 5_000

# Systems that European cities publish in, likeliest first.
_CANDIDATES = (
    2154, 3857, *range(3942, 3951), 27572, 27562, 27563, 32631, 32630, 32632, 25831, 25830, 25832,
    25833, 32633, 31370, 3812, 28992, 2056, 21781, 2169, 27700, 3035, 3003, 3004, 5698,
)  # fmt: skip


def known_crs(text: str) -> CRS:
    """The system a person names. Raises Invalid when there is none of that name."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise Invalid(
            "file_crs_unknown",
            f"{text[:120]!r} is no known reference system: give its code, such as EPSG:2154.",
            {"crs": text[:120]},
        ) from error


def short_name(crs: CRS) -> str:
    """`EPSG:2154 (RGF93 v1 / Lambert-93)` as far as it is known."""
    code = crs.to_epsg(min_confidence=60)
    return f"EPSG:{code} ({CRS.from_epsg(code).name})" if code else str(crs.name)


@lru_cache(maxsize=64)
def _transformer(wkt: str) -> Transformer:
    return Transformer.from_crs(CRS.from_wkt(wkt), CRS.from_epsg(4326), always_xy=True)


def to_wgs84(crs: CRS) -> Callable[[Floats], Floats] | None:
    """A function from (n, 2) coordinates to lon/lat degrees; None when they are that already.

    What cannot be transformed comes out infinite.
    """
    if crs.is_geographic and crs.to_epsg(min_confidence=90) in {4326, 4979}:
        return None
    transformer = _transformer(crs.to_wkt())

    def transform(coordinates: Floats) -> Floats:
        x, y = transformer.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([x, y])

    return transform


def are_degrees(coordinates: Floats) -> bool:
    """False when most of the coordinates cannot be degrees. Nothing at all may be anything."""
    finite = coordinates[np.isfinite(coordinates).all(axis=1)]
    if not len(finite):
        return True
    inside = (np.abs(finite[:, 0]) <= _DEGREES_X) & (np.abs(finite[:, 1]) <= _DEGREES_Y)
    return bool(inside.mean() >= 0.5)


def guess_crs(coordinates: Floats, near: BBox | None) -> str | None:
    """The likeliest system that puts these coordinates in the territory: "EPSG:2154"."""
    finite = coordinates[np.isfinite(coordinates).all(axis=1)]
    if near is None or not len(finite):
        return None
    sample = finite[:: max(1, len(finite) // 200)]
    wide = near.grown(_AROUND_M)
    best: tuple[float, str] | None = None
    for code in _CANDIDATES:
        try:
            transformer = _transformer(CRS.from_epsg(code).to_wkt())
        except CRSError:
            continue
        x, y = transformer.transform(sample[:, 0], sample[:, 1])
        share = float(wide.contains(x, y).mean())
        if share > 0.5 and (best is None or share > best[0] + 0.05):
            best = (share, f"EPSG:{code}")
    return best[1] if best else None


def not_degrees(name: str, coordinates: Floats, near: BBox | None, place: str) -> Invalid:
    """The refusal of a file that says degrees and holds metres, with the option that mends it."""
    finite = coordinates[np.isfinite(coordinates).all(axis=1)]
    x, y = (float(v) for v in finite[0]) if len(finite) else (0.0, 0.0)
    guess = guess_crs(coordinates, near)
    swapped = None if guess else guess_crs(coordinates[:, ::-1], near)
    if found := guess or swapped:
        system = short_name(CRS.from_user_input(found))
        where = place or "the territory"
        remedy = (
            f"X and Y look swapped: exchanged, they look like {system}, which puts them in {where}:"
            f" {_EXCHANGE}, and run again with --crs {found}"
            if swapped
            else f"They look like {system}, which puts them in {where}: run again "
            f"with --crs {found}"
        )
    else:
        remedy = "Find the system its publisher used and run again with --crs EPSG:…"
    return Invalid(
        "file_not_degrees",
        f"{name} gives no other reference system than degrees (WGS 84), but coordinates such as "
        f"{x:.1f}, {y:.1f} are not degrees. {remedy}.",
        {"file": name, "x": x, "y": y, "guess": found or "", "swapped": bool(swapped)},
    )


_EXCHANGE = "exchange x and y in the mapping (or say swap_axes = true under [source])"


class Placing:
    """Puts a file's geometries on the Earth, and notices those whose axes are swapped."""

    def __init__(self, system: CRS, options: ReadOptions, near: BBox | None, place: str) -> None:
        self.name = short_name(system)
        self._transform = to_wgs84(system)
        self._swap = options.swap_axes
        self._near = near.grown(_AROUND_M) if near else None
        self._place = place or "the territory"

    @classmethod
    def choose(
        cls,
        name: str,
        coordinates: Floats,
        declared: CRS | None,
        options: ReadOptions,
        near: BBox | None,
        place: str,
    ) -> "Placing":
        """In the system that a person says, else the file, else WGS 84.

        `coordinates` are some of the file's. Raises Invalid where degrees are declared and these
        are none.
        """
        if options.swap_axes:
            coordinates = coordinates[:, ::-1]
        if options.crs:
            return cls(known_crs(options.crs), options, near, place)
        system = declared or CRS.from_epsg(4326)
        if system.is_geographic and not are_degrees(coordinates):
            raise not_degrees(name, coordinates, near, place)
        return cls(system, options, near, place)

    def degrees(
        self, geometry: Geometries, problems: dict[int, str], details: dict[int, str]
    ) -> Geometries:
        """Geometries in WGS 84; those of a row with a problem are None."""
        raw = _swapped(geometry) if self._swap else geometry
        placed = self._transformed(raw)
        bounds = shapely.bounds(placed)
        good = _on_earth(bounds)
        for i in np.flatnonzero(~good):
            problems.setdefault(int(i), "position_unusable")
            placed[i] = None
        if self._near is not None:
            here = np.zeros(len(raw), dtype=bool)
            here[good] = self._near.contains(*_middles(bounds[good]))
            for i in self._inside_when_swapped(raw, np.flatnonzero(~here)):
                problems[i] = "axes_swapped"
                details[i] = (
                    "it lies outside the territory; with its two coordinates swapped it would lie "
                    f"in {self._place}: {_EXCHANGE}"
                )
                placed[i] = None
        return placed

    def _inside_when_swapped(self, raw: Geometries, rows: NDArray[np.intp]) -> list[int]:
        rows = rows[~shapely.is_missing(raw[rows])]
        if not len(rows) or self._near is None:
            return []
        bounds = shapely.bounds(self._transformed(_swapped(raw[rows])))
        good = _on_earth(bounds)
        inside = np.zeros(len(rows), dtype=bool)
        inside[good] = self._near.contains(*_middles(bounds[good]))
        return [int(i) for i in rows[inside]]

    def _transformed(self, geometry: Geometries) -> Geometries:
        if self._transform is None:
            return geometry.copy()
        return np.asarray(shapely.transform(geometry, self._transform), dtype=object)


def _swapped(geometry: Geometries) -> Geometries:
    return np.asarray(shapely.transform(geometry, lambda c: c[:, ::-1]), dtype=object)


def _middles(bounds: Floats) -> tuple[Floats, Floats]:
    return (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2


def _on_earth(bounds: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        good = np.isfinite(bounds).all(axis=1)
        good &= (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1)
        good &= (np.abs(bounds[:, [1, 3]]) <= 90).all(axis=1)
        return np.asarray(good, dtype=np.bool_)
